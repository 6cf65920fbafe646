"""The rules that every kind of anomaly keeps, whoever wrote it, as checks of its plan and of a real run.

The checks follow from the row of the kind alone. Each is a function that yields a sentence per problem. Our own tests hold the shipped
kinds to them, and the pytest plugin those of other packages.
"""
