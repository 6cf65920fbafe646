"""The truth about a row, from the journals or a label table: the last columns of every level."""

TABLE = """\
label | label | int8 | 1 | 1 if the journals (or the label table) call the row an attack
benign | label | int8 | 1 | 1 if it belongs to a benign anomaly: an unusual event that is no attack
kind | label | text | | kind of the episode it belongs to, `normal` where label and benign are 0
episode | label | text | | id of the episode that touched it, by an attack or only by relaying it
role | label | text | | its role in the episode, from the taxonomy; `kernel` for frames of the attacker's own kernel, which belong to no episode; else empty
"""

CHAINED = """\
chain | label | text | | name of the chain that its episode is a step of; missing outside of a chain
step | label | Int8 | 1 | which step of the chain its episode is, from 1; missing outside of a chain
"""
"""Further columns of every level of a run with a chain."""
