"""What the attacker did to a unit's connections beside their frames: it broke some, and refused others."""

from coldaisle_analysis.witness.journals import Journals, Line
from coldaisle_analysis.witness.verdict import Doubt
from coldaisle_contracts.clock import SECOND

_AT_ONCE_NS = 5 * SECOND
"""The longest time from the line of a connection to its refusal, in ns, on a busy machine."""


def expelled(client: str, acked_ns: int, at_ns: int, acts: list[Line]) -> str:
    """Return the episode whose act disconnected a client after its last acknowledged reading, empty for none."""
    for act in reversed(acts):
        if act["client"] == client and act["at_ns"] <= at_ns:
            return str(act["episode"]) if act["at_ns"] > acked_ns else ""
    return ""


class Refusals:
    """The connections that the attacker refused in the broker's name; none of them reaches the broker, where the capture stands.

    Args:
        journals: the plan and the journals.
        shard: name of the shard.
    """

    def __init__(self, journals: Journals, shard: str) -> None:
        self._left = [line for line in journals.attacker[shard] if line["event"] == "refuse"]
        self._units = {name: episode.unit for name, episode in journals.episodes.items()}

    def take(self, unit: str, line: Line) -> bool:
        """Tell whether a connection that a unit recorded was refused; each refusal is of one connection."""
        for refusal in self._left:
            same = (self._units.get(refusal["episode"]), refusal["port"]) == (unit, line["port"])
            if same and 0 <= refusal["at_ns"] - line["at_ns"] <= _AT_ONCE_NS:
                self._left.remove(refusal)
                return True
        return False

    def close(self) -> list[Doubt]:
        """Return a doubt for each refusal of a connection that no unit recorded, or that is in the capture."""
        reason = "refuses a connection from port {} that its unit did not open in vain"
        return [
            Doubt(f"journal/injector.jsonl: line {line['line']}", reason.format(line["port"]))
            for line in self._left
        ]
