"""Modification: a reading's value is shifted, scaled, drifted or frozen on its way."""

from coldaisle_contracts.plan import Episode
from coldaisle_contracts.topics import encode_value
from coldaisle_injector.catalogue import Passive, Reading


class Attack(Passive):
    """Delivers another value; the sensor's own noise stays in it, except when frozen."""

    def __init__(self, episode: Episode) -> None:
        super().__init__(episode)
        self._held: dict[int, str] = {}

    def watch(self, reading: Reading) -> None:
        """Remember the last value before the episode: what a frozen sensor goes on reporting."""
        self._held[reading.sensor] = reading.value

    def on_publish(self, reading: Reading) -> str | None:
        """Change the readings the plan names."""
        act = self.acts.get((reading.slot, reading.sensor))
        if act is None:
            return reading.value
        if act.operation == "freeze":
            return self._held.setdefault(reading.sensor, reading.value)
        celsius = float(reading.value)
        changed = celsius * act.amount if act.operation == "scale" else celsius + act.amount
        return encode_value(changed).decode("ascii")
