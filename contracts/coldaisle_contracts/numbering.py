"""Groups of devices whose names, addresses and client ids are numbered on, and the rules that these keep on any network."""

import re
from collections.abc import Iterator
from typing import Self

from pydantic import Field, model_validator

from coldaisle_contracts.addressing import BROKER, INJECTOR, NETWORK, NTP, TAKEN
from coldaisle_contracts.background import DNSMASQ, PAGES
from coldaisle_contracts.validation import Model, refuse_first

MOST_DEVICES = 256
"""Most devices of a site. A bridge of Linux has 1,024 ports, and a machine one neighbour table of 1,024 entries for all namespaces."""
LONGEST_CLIENT = 23
"""Most characters of a client id (MQTT 3.1, section 3.1)."""
NUMBER = re.compile(r"\{number(?::0(\d))?\}")
"""The place of a device's number in a pattern; ``{number:03}`` fills it with zeros to three digits."""
TOPIC_FORM = re.compile(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*")
CLIENT_FORM = re.compile(r"[A-Za-z0-9]+")
CLIENT_REMEDY = "use letters and digits; {number} or {number:03} stands for a number"
CLIENT_LENGTH = f"make it shorter: a client id of MQTT 3.1 has at most {LONGEST_CLIENT} characters"
_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")
_RESERVED = {
    BROKER.name, INJECTOR.name, NTP.name, "capture", "timeline", "switch", "timekeeper", "analysis", "notebook", "desk", "verdict",
    "live", "alarms", "judge", "scheduler", "worker", "campaign",
    DNSMASQ, PAGES,
}  # fmt: skip
"""Names that other programs of a run, or other services in containers, have."""
_TAKEN_REMEDY = (
    f"the numbers {' and '.join(map(str, sorted(TAKEN)))} are those of broker and attacker: choose others"
)
_NAME_REMEDY = "use at most 31 lower-case letters, digits and hyphens, a letter first; {number} or {number:03} stands for a number"


class Numbered(Model):
    """Devices of one kind whose names and addresses are numbered on.

    Attributes:
        kind: kind of the devices.
        name: pattern of their names, such as ``inrow-{number}``.
        number: number of the first one.
        count: number of devices.
        address: number of the first one's address in the network; the following devices have the following addresses.
    """

    kind: str
    name: str
    number: int = Field(default=1, ge=0, le=99_999)
    count: int = Field(default=1, ge=1, le=MOST_DEVICES)
    address: int = Field(ge=1)

    @model_validator(mode="after")
    def _on_the_network(self) -> Self:
        last, most = self.address + self.count - 1, NETWORK.num_addresses - 2
        names = [self._named(self.name, number) for number in self._numbers]
        refuse_first(
            self,
            (last > most, "address", f"the network has the numbers 1 to {most}: start lower, or have fewer devices"),
            (any(taken in range(self.address, last + 1) for taken in TAKEN), "address", _TAKEN_REMEDY),
            (any(not _NAME.fullmatch(name) for name in names), "name", _NAME_REMEDY),
            (bool(_RESERVED & set(names)), "name", "another program of a run has this name: choose another one"),
            (len(set(names)) < self.count, "name", "put {number} into it, because the devices need different names"),
        )  # fmt: skip
        return self

    @property
    def _numbers(self) -> range:
        """The numbers of the devices."""
        return range(self.number, self.number + self.count)

    @staticmethod
    def _named(pattern: str, number: int) -> str:
        """Return a pattern with a number in the place of ``{number}``."""
        return NUMBER.sub(lambda found: f"{number:0{found[1] or 1}}", pattern)

    def places(self) -> Iterator[tuple[int, str, int]]:
        """Yield number, name and number of the address of each device."""
        for place, number in enumerate(self._numbers):
            yield number, self._named(self.name, number), self.address + place
