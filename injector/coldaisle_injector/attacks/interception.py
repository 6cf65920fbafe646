"""Interception: the attacker reads what passes and changes nothing."""

from coldaisle_injector.catalogue import Passive


class Attack(Passive):
    """Reads every frame between unit and broker; passing through the attacker is the attack."""

    labels_relayed = True
