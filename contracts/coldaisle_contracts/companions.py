"""The companions of a site: groups of them in its file, and each of them with its name, address, client and parameters."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Self

from pydantic import ConfigDict, Field, model_validator

from coldaisle_contracts.addressing import Host, host
from coldaisle_contracts.devices import DEVICES, UNIT, DeviceKind, Value
from coldaisle_contracts.dialects import Qos, Version
from coldaisle_contracts.numbering import (
    CLIENT_FORM,
    CLIENT_LENGTH,
    CLIENT_REMEDY,
    LONGEST_CLIENT,
    TOPIC_FORM,
    Numbered,
)
from coldaisle_contracts.records import read_records
from coldaisle_contracts.validation import MismatchError, refuse_first

_LONGEST_TOPIC = 100
"""Most characters of a topic."""
_TIMED = ("interval_s", "phase_s", "jitter_s")
"""Keys of a group whose kind publishes at an interval."""


@dataclass(frozen=True)
class Companion:
    """A device of a site that is no unit.

    Attributes:
        host: its name and addresses.
        kind: its kind, a row of :data:`~coldaisle_contracts.devices.DEVICES`.
        client: its MQTT client id.
        topic: the topic that it publishes to, or that its topics begin with.
        interval_s: time between two of its messages, in s; 0 where events decide.
        phase_s: time from the first reading of a day to its first message, in s.
        jitter_s: greatest delay of a message, in s; each is drawn by seed.
        qos: quality of service of its messages.
        retain: whether the broker keeps its last message.
        keepalive_s: MQTT keepalive, in s.
        version: version of MQTT that it speaks.
        parameters: every parameter of its kind, by name.
    """

    host: Host
    kind: str
    client: str
    topic: str
    interval_s: float
    phase_s: float
    jitter_s: float
    qos: Qos
    retain: bool
    keepalive_s: int
    version: Version
    parameters: dict[str, Value] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Its name in the plan."""
        return self.host.name

    @property
    def row(self) -> DeviceKind:
        """The row of its kind."""
        return DEVICES[self.kind]

    @property
    def per_second(self) -> float:
        """The mean number of its messages in a second; of records the number in their densest 10 s."""
        return self.row.most_per_second(self.interval_s, self.parameters)


class CompanionGroup(Numbered):
    """Companions of one kind; further keys are the parameters of the kind.

    Attributes:
        kind: kind of the devices.
        name: pattern of their names; by default the kind and the number, as in ``power-meter-1``.
        number: number of the first one.
        count: number of devices.
        address: number of the first one's address in the network; the following devices have the following addresses.
        client: pattern of the client ids; by default the kind without hyphens, and the number.
        topic: pattern of the topics; by default that of the kind.
        interval_s: time between two messages, in s; by default that of the kind. A kind that publishes on events has none.
        phase_s: time from the first reading of a day to the first message, in s; shorter than the interval.
        jitter_s: greatest delay of a message, in s; each is drawn by seed. At most half an interval.
        qos: quality of service of the messages; by default that of the kind.
        retain: whether the broker keeps the last message; by default as the kind has it.
        keepalive_s: MQTT keepalive, in s; a companion that is silent for so long sends a PINGREQ.
        version: version of MQTT that they speak; by default that of the kind.
    """

    model_config = ConfigDict(extra="allow")

    client: str
    topic: str
    interval_s: float = Field(default=0.0, ge=0.0, le=86_400.0)
    phase_s: float = Field(default=0.0, ge=0.0, le=86_400.0)
    jitter_s: float = Field(default=0.0, ge=0.0, le=43_200.0)
    qos: Qos
    retain: bool
    keepalive_s: int = Field(default=3600, ge=10, le=65_535)
    version: Version

    @model_validator(mode="before")
    @classmethod
    def _usual(cls, content: Any) -> Any:
        """Give the keys that are not named the values that the kind has for them."""
        if not isinstance(content, dict):
            return content
        kind = content.get("kind")
        if not isinstance(kind, str) or kind not in DEVICES:
            alike = get_close_matches(str(kind), [UNIT, *DEVICES], 1)
            usable = alike[0] if alike else f"one of {', '.join([UNIT, *DEVICES])}"
            raise MismatchError("kind", kind, f"no such kind of device is installed: use {usable}")
        return {**DEVICES[kind].usual, **{key: _frozen(value) for key, value in content.items()}}

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        clients = [self._named(self.client, number) for number in self._numbers]
        row, topics = DEVICES[self.kind], [self._named(self.topic, number) for number in self._numbers]
        able, most = ", ".join(row.versions), f"at most {_LONGEST_TOPIC}"
        refuse_first(
            self,
            (any(not CLIENT_FORM.fullmatch(client) for client in clients), "client", CLIENT_REMEDY),
            (any(len(client) > LONGEST_CLIENT for client in clients), "client", CLIENT_LENGTH),
            (len(set(clients)) < self.count, "client", "put {number} into it, because the devices need different client ids"),
            (any(not TOPIC_FORM.fullmatch(topic) for topic in topics), "topic", "use letters, digits and . _ - with a slash between levels, and {number}"),
            (any(len(topic) > _LONGEST_TOPIC for topic in topics), "topic", f"make it shorter: {most} characters"),
            (bool(row.topic_form) and any(not re.fullmatch(row.topic_form, topic) for topic in topics), "topic", f"write it as {row.topic}"),
            (self.version not in row.versions, "version", f"{self.kind} speaks {able}"),
        )  # fmt: skip
        self._refuse_odd_times(row)
        for name, value in (self.model_extra or {}).items():
            self._refuse_parameter(row, name, value)
        return self

    def _refuse_odd_times(self, row: DeviceKind) -> None:
        """Refuse times that a kind without an interval does not have, and those that would change the order of messages."""
        if not row.interval_s:
            gone = f"remove it, because {self.kind} publishes on events"
            refuse_first(self, *((getattr(self, key) > 0, key, gone) for key in _TIMED))
            return
        within = f"make it shorter than interval_s, {self.interval_s:g} s"
        refuse_first(
            self,
            (self.interval_s < 1, "interval_s", "give at least 1 s"),
            (self.phase_s >= self.interval_s, "phase_s", within),
            (self.jitter_s > self.interval_s / 2, "jitter_s", f"give at most half of interval_s, {self.interval_s / 2:g} s"),
        )  # fmt: skip

    def _refuse_parameter(self, row: DeviceKind, name: str, value: Any) -> None:
        rows = {parameter.name: parameter for parameter in row.parameters}
        if name not in rows:
            names = ", ".join([*type(self).model_fields, *rows])
            raise MismatchError(
                name, None, f"remove it, because {self.kind} has no such key (it has {names})"
            )
        if fault := rows[name].fault(value):
            raise MismatchError(name, value, fault)

    @property
    def parameters(self) -> dict[str, Value]:
        """The parameters of its kind."""
        return dict(self.model_extra or {})

    def companions(self) -> Iterator[Companion]:
        """Yield its devices."""
        for number, name, place in self.places():
            yield Companion(
                host(name, "companion", place),
                self.kind,
                self._named(self.client, number),
                self._named(self.topic, number),
                self.interval_s,
                self.phase_s,
                self.jitter_s,
                self.qos,
                self.retain,
                self.keepalive_s,
                self.version,
                self.parameters,
            )


def named_files(site: dict[str, Any]) -> list[str]:
    """Return the CSV files that the content of a site file names, as it names them."""
    groups = site.get("devices")
    return [group[key] for group in groups for key in _naming(group)] if isinstance(groups, list) else []


def _frozen(value: Any) -> Any:
    """Return records as tuples, whether they come from TOML or from JSON; anything else as it is."""
    if not isinstance(value, list):
        return value
    return tuple(tuple(record) if isinstance(record, list) else record for record in value)


def with_records(site: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return the content of a site file with recorded values in the place of the CSV files that it names.

    Args:
        site: the content; where it is not valid, its model says so later.
        folder: folder of the file; names of files are relative to it.

    Raises:
        InputError: if a CSV file is missing or not valid.
    """
    if not named_files(site):
        return site
    groups = (
        (group, {key: read_records(folder / group[key]) for key in _naming(group)})
        for group in site["devices"]
    )
    return {**site, "devices": [{**group, **read} if read else group for group, read in groups]}


def _naming(group: Any) -> list[str]:
    """Return the keys of a group that name a file of records."""
    kind = group.get("kind") if isinstance(group, dict) else None
    if not isinstance(kind, str) or kind not in DEVICES:
        return []
    keys = [row.name for row in DEVICES[kind].parameters if row.holds_records]
    return [key for key in keys if isinstance(group.get(key), str)]
