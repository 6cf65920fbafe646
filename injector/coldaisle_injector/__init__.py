"""The attacker: gets on the path between a unit and the broker and changes live traffic."""
