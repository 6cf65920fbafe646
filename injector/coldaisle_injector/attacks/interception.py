"""Interception: the attacker reads every frame that passes and changes none."""

from coldaisle_injector.catalogue import OnPath


class Attack(OnPath):
    """Reads every frame between unit and broker; being relayed makes a frame part of the attack."""

    labels_relayed = True
