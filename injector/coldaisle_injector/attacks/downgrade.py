"""Downgrade: the port for TLS seems closed until a sensor reports in plaintext."""

from coldaisle_contracts.addressing import TLS_PORT
from coldaisle_contracts.plan import Episode
from coldaisle_injector.catalogue import OnPath
from coldaisle_injector.onpath import Path
from coldaisle_injector.script import At, Script


class Attack(OnPath):
    """Resets connections before their first reading, refuses those with TLS, and at the end resets those without.

    A unit falls back for one connection. So the last reset, after which nothing is refused, brings it back to TLS.
    """

    def __init__(self, episode: Episode) -> None:
        super().__init__(episode)
        self._refusing = False

    def refuses(self, port: int) -> bool:
        """Refuse connections with TLS until the last reset."""
        return self._refusing and port == TLS_PORT

    def during(self, path: Path) -> Script:
        """Reset the connections of all sensors before the first reading, and again after the last one."""
        acts = sorted(self.episode.acts, key=lambda act: act.times_ns)
        for number, act in enumerate(acts):
            yield At(act.times_ns[0])
            self._refusing = number < len(acts) // 2
            path.spoofer.reset(act.slot, act.sensor, act.operation)
