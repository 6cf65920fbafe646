"""Appliance: a harmless device on the path that relays frames; in a capture it looks like interception."""

from coldaisle_injector.attacks.interception import Attack

__all__ = ["Attack"]
