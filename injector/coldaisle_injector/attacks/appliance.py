"""Appliance: something on the path that relays and means no harm; what it looks like is interception."""

from coldaisle_injector.attacks.interception import Attack

__all__ = ["Attack"]
