"""Modification: a reading's value is shifted, scaled, frozen, made noisy or replaced by an older one."""

from coldaisle_contracts.plan import Act, Episode
from coldaisle_contracts.topics import encode_value
from coldaisle_injector.catalogue import OnPath
from coldaisle_injector.edits import Deliver, Edit, Pass, Reading


class Attack(OnPath):
    """Delivers another value; it keeps the sensor's own noise, except when frozen or replayed."""

    def __init__(self, episode: Episode) -> None:
        super().__init__(episode)
        self._values: dict[int, list[str]] = {}
        self._held: dict[int, str] = {}

    def watch(self, reading: Reading) -> None:
        """Remember the values before the episode, for freezing and replaying."""
        self._values.setdefault(reading.sensor, []).append(reading.value)

    def on_publish(self, reading: Reading) -> Edit:
        """Change the readings that the plan names."""
        self.watch(reading)
        act = self.acts.get((reading.slot, reading.sensor))
        return Pass() if act is None else Deliver(self._within(reading, self._changed(reading, act)))

    def _changed(self, reading: Reading, act: Act) -> str:
        """Return the value that an act delivers instead of a reading's."""
        values = self._values[reading.sensor]
        if act.operation == "freeze":
            return self._held.setdefault(reading.sensor, values[-2] if len(values) > 1 else reading.value)
        if act.operation == "replay":
            return values[max(0, len(values) - 1 - round(act.amount))]
        celsius = float(reading.value)
        changed = celsius * act.amount if act.operation == "scale" else celsius + act.amount
        return encode_value(changed).decode("ascii")

    def _within(self, reading: Reading, value: str) -> str:
        """Return the value, clipped to the sensor's normal range if the episode hides."""
        if not self.episode.stealth:
            return value
        least, most = self.episode.normal[reading.sensor]
        return encode_value(min(max(float(value), least), most)).decode("ascii")
