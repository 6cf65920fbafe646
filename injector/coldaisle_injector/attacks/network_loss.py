"""Network loss: a bad appliance on the path drops segments; what it looks like is loss, and it is no attack."""

from coldaisle_injector.attacks.loss import Attack

__all__ = ["Attack"]
