"""Dialects of MQTT: the ways in which units speak it."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Literal

Version = Literal["3.1", "3.1.1", "5"]
"""A version of MQTT; the first two differ in the name and level of the protocol in a CONNECT alone."""
Qos = Literal[0, 1, 2]
"""A quality of service: at most once, at least once, exactly once (MQTT 3.1.1, section 4.3)."""
SENSOR = "{sensor}"
"""The place of a sensor's number in a pattern."""


@dataclass(frozen=True)
class Will:
    """The message that a broker publishes when the connection of a sensor breaks.

    Attributes:
        topics: pattern of its topic, with ``{sensor}`` for the number of the sensor.
        payload: its payload.
    """

    topics: str
    payload: str

    def topic(self, sensor: int) -> str:
        """Return the topic of a sensor's will."""
        return self.topics.replace(SENSOR, str(sensor))


@dataclass(frozen=True)
class Dialect:
    """The way in which a unit speaks MQTT.

    Attributes:
        version: version of MQTT.
        qos: quality of service of its readings, and of its will.
        tls: whether its connections are encrypted.
        fallback: whether it uses the plaintext listener where that for TLS refuses it, see :data:`FALLBACK_AFTER`.
        retain: whether the broker retains its readings, and its will.
        clean_session: whether a connection begins without the session of the one before; false asks the broker to keep it.
        session_expiry_s: time for which a broker keeps the session after a connection, in s; only MQTT 5 says so.
        topic_alias: whether a number stands for the topic from the second reading of a connection on; only MQTT 5 has that.
        keepalive_s: MQTT keepalive, in s; 0 for that of the scenario.
        will: its sensors' will.
    """

    version: Version = "3.1"
    qos: Qos = 1
    tls: bool = False
    fallback: bool = False
    retain: bool = False
    clean_session: bool = True
    session_expiry_s: int = 0
    topic_alias: bool = False
    keepalive_s: int = 0
    will: Will | None = None

    @property
    def has_properties(self) -> bool:
        """Whether its packets have properties, as those of MQTT 5 do."""
        return self.version == "5"


USUAL = Dialect()
"""The dialect of the published captures."""
ALIAS = 1
"""The topic alias that a unit uses: each connection has one topic."""
FALLBACK_AFTER = 3
"""Number of refused connections in a row after which a unit with ``fallback`` opens one without TLS; the one after that is encrypted again."""
PLAINTEXT = "plaintext"
DEMANDED = (*(field.name for field in fields(Dialect)), PLAINTEXT)
"""What a kind can demand: properties of a unit's dialect, and a listener of the broker for plaintext."""


def beyond_version(
    version: Version, topic_alias: object, clean_session: object, expiry_s: int
) -> Iterator[tuple[bool, str, str]]:
    """Yield for each key of a group whether the version of MQTT does not have what it says, the key, and what would be right."""
    old = version != "5"
    kept = not old and not clean_session
    yield (
        old and bool(topic_alias),
        "topic_alias",
        'remove it, or set version = "5": older versions have no topic alias',
    )
    yield (
        old and expiry_s > 0,
        "session_expiry_s",
        'remove it, or set version = "5": older sessions do not expire',
    )
    yield bool(clean_session) and expiry_s > 0, "session_expiry_s", "remove it, or set clean_session = false"
    yield (
        kept and not expiry_s,
        "clean_session",
        "give session_expiry_s, too, else the session ends with its connection",
    )
