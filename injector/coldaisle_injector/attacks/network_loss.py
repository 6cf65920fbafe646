"""Network loss: a faulty appliance on the path drops segments; it looks like loss but is no attack."""

from coldaisle_injector.attacks.loss import Attack

__all__ = ["Attack"]
