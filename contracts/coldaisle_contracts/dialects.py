"""Dialects of MQTT: the ways in which units speak it."""

from dataclasses import dataclass, fields
from typing import Literal

Version = Literal["3.1", "3.1.1"]
"""A version of MQTT; the two differ in the name and level of the protocol in a CONNECT."""
Qos = Literal[0, 1, 2]
"""A quality of service: at most once, at least once, exactly once (MQTT 3.1.1, section 4.3)."""


@dataclass(frozen=True)
class Dialect:
    """The way in which a unit speaks MQTT.

    Attributes:
        version: version of MQTT.
        qos: quality of service of its readings.
        tls: whether its connections are encrypted.
    """

    version: Version = "3.1"
    qos: Qos = 1
    tls: bool = False


USUAL = Dialect()
"""The dialect of the published captures."""
PLAINTEXT = "plaintext"
DEMANDED = (*(field.name for field in fields(Dialect)), PLAINTEXT)
"""What a kind can demand: properties of a unit's dialect, and a listener of the broker for plaintext."""
