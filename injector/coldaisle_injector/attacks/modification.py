"""Modification: a reading's value is shifted, scaled, frozen, made noisy or replaced by an older one on its way."""

from coldaisle_contracts.plan import Act, Episode
from coldaisle_contracts.topics import encode_value
from coldaisle_injector.catalogue import OnPath
from coldaisle_injector.edits import Deliver, Edit, Pass, Reading


class Attack(OnPath):
    """Delivers another value; the sensor's own noise stays in it, except when frozen or replayed."""

    def __init__(self, episode: Episode) -> None:
        super().__init__(episode)
        self._seen: dict[int, list[str]] = {}
        self._held: dict[int, str] = {}

    def watch(self, reading: Reading) -> None:
        """Remember the values before the episode: what a frozen sensor goes on reporting, what is replayed."""
        self._seen.setdefault(reading.sensor, []).append(reading.value)

    def on_publish(self, reading: Reading) -> Edit:
        """Change the readings the plan names."""
        self.watch(reading)
        act = self.acts.get((reading.slot, reading.sensor))
        return Pass() if act is None else Deliver(self._within(reading, self._changed(reading, act)))

    def _changed(self, reading: Reading, act: Act) -> str:
        """Return the value an act makes of a reading's."""
        seen = self._seen[reading.sensor]
        if act.operation == "freeze":
            return self._held.setdefault(reading.sensor, seen[-2] if len(seen) > 1 else reading.value)
        if act.operation == "replay":
            return seen[max(0, len(seen) - 1 - round(act.amount))]
        celsius = float(reading.value)
        changed = celsius * act.amount if act.operation == "scale" else celsius + act.amount
        return encode_value(changed).decode("ascii")

    def _within(self, reading: Reading, value: str) -> str:
        """Return the value, kept inside the sensor's normal range when the episode hides."""
        if not self.episode.stealth:
            return value
        least, most = self.episode.normal[reading.sensor]
        return encode_value(min(max(float(value), least), most)).decode("ascii")
