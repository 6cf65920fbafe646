"""The attacker: it gets on the path between a unit and the broker and changes live traffic, or acts from a host of its own."""
