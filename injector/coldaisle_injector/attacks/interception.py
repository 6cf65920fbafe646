"""Interception: the attacker reads what passes and changes nothing."""

from coldaisle_injector.catalogue import OnPath


class Attack(OnPath):
    """Reads every frame between unit and broker; passing through the attacker is the attack."""

    labels_relayed = True
