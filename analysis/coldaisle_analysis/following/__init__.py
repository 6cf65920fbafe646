"""Following sensors as their values come: what each value is beside the sensor's past, its forecast and its unit.

:mod:`history` compares values with those before, :mod:`forecast` with what a model of the site expects. Both only look back and
carry a bounded state, so a capture is followed in one go or as it comes, with the same result.
"""
