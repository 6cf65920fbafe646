"""The units of a site: groups of devices in its file, and each device with its name, address and clients."""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from coldaisle_contracts.addressing import MQTT_PORT, TLS_PORT, Host, host
from coldaisle_contracts.dialects import SENSOR, USUAL, Dialect, Qos, Version, Will, beyond_version
from coldaisle_contracts.numbering import (
    CLIENT_FORM,
    CLIENT_LENGTH,
    CLIENT_REMEDY,
    LONGEST_CLIENT,
    TOPIC_FORM,
    Numbered,
)
from coldaisle_contracts.rhythms import STEADY, Rhythm
from coldaisle_contracts.topics import SENSORS, TOPIC
from coldaisle_contracts.validation import refuse_first

PerSensor = tuple[float, float, float, float]
"""One number for each sensor of a unit: coolant in, coolant out, supply air, return air."""
Celsius = Annotated[float, Field(ge=-20.0, le=80.0)]
_LONGEST_WORDS = 100
"""Most characters of topic and payload together, so that a PUBLISH has less than 128 bytes."""
VALUE, _DIGITS = "{value}", frozenset("0123456789")
"""The place of a value in a pattern, and the characters of a number."""
_TOPIC, _PAYLOAD = TOPIC_FORM, re.compile(r"[ -~]+")
_LATER = ("tls", "will")
"""Properties of a dialect that are no key of a group: the site knows whether its broker takes plaintext, and a will has two keys."""


@dataclass(frozen=True)
class Unit:
    """One device of a site.

    Attributes:
        host: its name and addresses.
        kind: its kind of device.
        stem: what the client ids of its sensors begin with.
        medians: median of each of its sensors, in °C.
        topics: pattern of the topics that its sensors publish to, with ``{sensor}`` for the number of the sensor.
        payload: pattern of its payloads, with ``{value}`` for the number.
        dialect: the way in which it speaks MQTT.
        rhythm: when it takes its readings.
    """

    host: Host
    kind: str
    stem: str
    medians: PerSensor
    topics: str = TOPIC
    payload: str = VALUE
    dialect: Dialect = USUAL
    rhythm: Rhythm = STEADY

    @property
    def port(self) -> int:
        """The broker's TCP port for it."""
        return TLS_PORT if self.dialect.tls else MQTT_PORT

    @property
    def name(self) -> str:
        """Its name in the plan."""
        return self.host.name

    def client(self, sensor: int) -> str:
        """Return the MQTT client id of a sensor: that of sensor 4 of ``inrow-13`` is ``134``."""
        return f"{self.stem}{sensor}"

    def topic(self, sensor: int) -> str:
        """Return the topic that a sensor publishes to."""
        return self.topics.replace(SENSOR, str(sensor))

    def encode(self, value: str) -> bytes:
        """Return the payload that says a value, a number as text."""
        return self.payload.replace(VALUE, value).encode("ascii")

    def decode(self, payload: str) -> str:
        """Return the value in a payload, as text; a payload of another form is returned whole."""
        before, _, behind = self.payload.partition(VALUE)
        if (
            payload.startswith(before)
            and payload.endswith(behind)
            and len(payload) > len(before) + len(behind)
        ):
            return payload[len(before) : len(payload) - len(behind)]
        return payload

    @property
    def clients(self) -> tuple[str, ...]:
        """The client ids of its sensors, in order."""
        return tuple(self.client(sensor) for sensor in SENSORS)


class Group(Numbered):
    """Devices of one kind whose names, addresses and client ids are numbered on.

    Attributes:
        kind: kind of the devices.
        name: pattern of their names, such as ``inrow-{number}``.
        number: number of the first one.
        count: number of devices.
        address: number of the first one's address in the network; the following devices have the following addresses.
        client: pattern of the client ids; it ends with ``{sensor}``, as in ``{number}{sensor}``.
        topic: pattern of the topics, such as ``hall/{number}/{sensor}``; by default all sensors publish to one.
        payload: pattern of the payloads, such as ``{"celsius": {value}}``; by default it is the number alone.
        version: version of MQTT that they speak.
        qos: quality of service of their readings and wills.
        tls: whether their connections are encrypted; by default where the broker has no plaintext listener.
        fallback: whether they use the plaintext listener for one connection where that for TLS has refused three in a row.
        retain: whether the broker retains their readings and wills.
        keepalive_s: MQTT keepalive, in s; longer than the interval, and when left out that of the scenario.
        clean_session: whether a connection begins without the session of the one before.
        session_expiry_s: time for which the broker keeps a session after a connection, in s; only with MQTT 5 and without clean_session.
        topic_alias: whether a number stands for the topic from the second reading of a connection on; only with MQTT 5.
        will: payload of the message that the broker publishes when a connection breaks; empty for none.
        will_topic: pattern of its topic; by default the topic of the readings and `/status`.
        every: the devices report in one of so many slots, so that their interval is a multiple of the scenario's.
        phase: which of these slots it is, from 0.
        jitter_s: greatest delay of a waking, in s; each is drawn by seed. When left out it is that of the published captures, 0.75 ms.
        medians: median of each sensor, in °C.
        spread: standard deviation of the devices' medians around it, in °C; a device's own distance follows from its name.
    """

    kind: Literal["inrow"] = "inrow"
    name: str = "inrow-{number}"
    client: str = "{number}{sensor}"
    topic: str = TOPIC
    payload: str = VALUE
    version: Version = "3.1"
    qos: Qos = Field(default=1, exclude_if=lambda qos: bool(qos == 1))
    tls: bool | None = Field(default=None, exclude_if=lambda tls: tls is None)
    fallback: bool = Field(default=False, exclude_if=lambda fallback: not fallback)
    retain: bool = Field(default=False, exclude_if=lambda retain: not retain)
    keepalive_s: int = Field(default=0, ge=0, le=65_535, exclude_if=lambda keepalive: not keepalive)
    clean_session: bool = Field(default=True, exclude_if=bool)
    session_expiry_s: int = Field(default=0, ge=0, le=0xFFFFFFFF, exclude_if=lambda expiry: not expiry)
    topic_alias: bool = Field(default=False, exclude_if=lambda alias: not alias)
    will: str = Field(default="", exclude_if=lambda will: not will)
    will_topic: str = Field(default="", exclude_if=lambda topic: not topic)
    every: int = Field(default=1, ge=1, le=8640, exclude_if=lambda every: bool(every == 1))
    phase: int = Field(default=0, ge=0, exclude_if=lambda phase: not phase)
    jitter_s: float | None = Field(default=None, ge=0.0, le=900.0, exclude_if=lambda jitter: jitter is None)
    medians: tuple[Celsius, Celsius, Celsius, Celsius] = (11.5, 15.4, 20.0, 26.9)
    spread: float = Field(default=0.0, ge=0.0, le=2.0)

    @field_validator("client")
    @classmethod
    def _ends_with_sensor(cls, value: str) -> str:
        if not value.endswith("{sensor}") or value.count("{sensor}") > 1:
            raise ValueError("end it with {sensor}, and name that once")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        clients = self._stems
        long = any(len(stem) >= LONGEST_CLIENT for stem in clients)
        refuse_first(
            self,
            (any(not CLIENT_FORM.fullmatch(stem) for stem in clients), "client", CLIENT_REMEDY),
            (long, "client", CLIENT_LENGTH),
            (self.phase >= self.every, "phase", f"make it less than every, which is {self.every}"),
        )
        self._refuse_strange_words()
        self._refuse_strange_dialect()
        coolant_in, coolant_out, supply, return_air = self.medians
        refuse_first(self, (coolant_out <= coolant_in or return_air <= supply, "medians", WARMER))
        return self

    def _refuse_strange_words(self) -> None:
        """Refuse topics and payloads that do not say what they should, or are so long that a reading needs more than 127 bytes."""
        topic, spent = self._topics(self.number), self.payload.replace(VALUE, "", 1)
        plain = topic.replace(SENSOR, "x")
        size = max(len(self._topics(self._numbers[-1])), len(topic)) + len(self.payload)
        refuse_first(
            self,
            (not _TOPIC.fullmatch(plain), "topic", "use letters, digits and . _ - with a slash between levels, {number} and {sensor}"),
            (not _PAYLOAD.fullmatch(self.payload), "payload", "use printable ASCII characters"),
            (self.payload.count(VALUE) != 1, "payload", "name {value} once: it stands for the number"),
            (any(sign in spent for sign in _DIGITS), "payload", "use no digits beside {value}, so that the number is clear"),
            (size > _LONGEST_WORDS, "topic", f"make topic and payload shorter: together at most {_LONGEST_WORDS} characters"),
        )  # fmt: skip

    def _refuse_strange_dialect(self) -> None:
        """Refuse what the version of MQTT does not have, and a will that cannot be published."""
        plain = self._named(self.will_topic or self.topic, self.number).replace(SENSOR, "x")
        long = len(plain) + len(self.will) > _LONGEST_WORDS
        refuse_first(
            self,
            *beyond_version(self.version, self.topic_alias, self.clean_session, self.session_expiry_s),
            (bool(self.will_topic) and not self.will, "will_topic", "remove it, or give will, the payload"),
            (bool(self.will) and not _PAYLOAD.fullmatch(self.will), "will", "use printable ASCII characters"),
            (not _TOPIC.fullmatch(plain), "will_topic", "use letters, digits and . _ - with a slash between levels, {number} and {sensor}"),
            (bool(self.will) and long, "will", f"make it or its topic shorter: together at most {_LONGEST_WORDS} characters"),
        )  # fmt: skip

    def _dialect(self, number: int) -> Dialect:
        topics = self._named(self.will_topic or f"{self.topic}/status", number)
        own = {field.name: getattr(self, field.name) for field in fields(Dialect) if field.name not in _LATER}
        return Dialect(**own, will=Will(topics, self.will) if self.will else None)

    def _topics(self, number: int) -> str:
        return self._named(self.topic, number)

    @property
    def _stems(self) -> list[str]:
        return [self._named(self.client.removesuffix("{sensor}"), number) for number in self._numbers]

    def units(self) -> Iterator[Unit]:
        """Yield its devices."""
        for (number, name, place), stem in zip(self.places(), self._stems, strict=True):
            away = self.spread * random.Random(f"medians/{name}").gauss()  # noqa: S311 - a simulation, not a secret
            medians = tuple(round(median + away, 2) for median in self.medians)
            address = host(name, "unit", place)
            words = self._topics(number), self.payload, self._dialect(number)
            rhythm = Rhythm(self.every, self.phase, self.jitter_s)
            yield Unit(address, self.kind, stem, medians, *words, rhythm)  # type: ignore[arg-type]


WARMER = "make coolant out warmer than coolant in, and return air warmer than supply air"
