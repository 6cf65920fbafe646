"""What the journals (or a label table) say of a row; behind the columns of every level."""

TABLE = """\
label | label | int8 | 1 | 1 if the journals (or the label table) call the row an attack
benign | label | int8 | 1 | 1 if it belongs to a benign anomaly: something happened, and it was no attack
kind | label | text | | kind of the episode it belongs to, `normal` where label and benign are 0
episode | label | text | | id of the episode that touched it, attacked or only relayed
role | label | text | | what the episode made of it, a role in the taxonomy; `kernel` for the attacker's own kernel, which acts for no episode; else empty
"""
