"""What a reader has to be told about the MQTT in a capture, where the capture itself does not say it."""

from dataclasses import dataclass

from coldaisle_contracts.addressing import MQTT_PORT
from coldaisle_contracts.errors import InputError

_LEVELS = {"3": 3, "3.1": 3, "4": 4, "3.1.1": 4, "5": 5, "5.0": 5}
"""Protocol level of each version, by its name."""


@dataclass(frozen=True)
class MqttOptions:
    """Where MQTT is, and its version in connections that began before the capture.

    Attributes:
        ports: TCP ports of MQTT.
        version: protocol level where no CONNECT is seen: 3, 4 or 5; 0 lets the packets show it.
    """

    ports: tuple[int, ...] = (MQTT_PORT,)
    version: int = 0


def level_of(version: str | None) -> int:
    """Return the protocol level of a version such as 3.1.1, 0 for none.

    Raises:
        InputError: if there is no such version.
    """
    if version is None:
        return 0
    if version not in _LEVELS:
        raise InputError("--mqtt-version", "name a version of MQTT: 3.1, 3.1.1 or 5", version)
    return _LEVELS[version]
