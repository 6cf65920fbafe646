"""Payloads of Sparkplug B (Eclipse Sparkplug 3.0.0, chapter 6), written with Protocol Buffers."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from coldaisle_contracts.sparkplug import parsed, payload_class

Type = Literal["Int32", "Int64", "Double", "Boolean"]
"""A type of metrics that is used here."""
_TYPES: dict[Type, tuple[int, str]] = {
    "Int32": (3, "int_value"),
    "Int64": (4, "long_value"),
    "Double": (10, "double_value"),
    "Boolean": (11, "boolean_value"),
}
"""Number of each type, and the field of its values (section 6.4.16)."""
_BITS = {"Int32": 32, "Int64": 64}


@dataclass(frozen=True)
class Metric:
    """A metric with a value.

    Attributes:
        name: its name; empty where the alias stands for it.
        type: its type.
        value: its value.
        alias: its alias, -1 for none.
    """

    name: str
    type: Type
    value: float | bool
    alias: int = -1


def encoded(time_ms: int, metrics: Iterable[Metric], seq: int | None) -> bytes:
    """Return the bytes of a payload.

    Args:
        time_ms: its time and that of its metrics, in ms since the epoch.
        metrics: its metrics, in order.
        seq: its sequence number; ``None`` for an NDEATH, which has none.
    """
    payload = payload_class()(timestamp=time_ms)
    for metric in metrics:
        number, field = _TYPES[metric.type]
        entry = payload.metrics.add(timestamp=time_ms, datatype=number)
        if metric.name:
            entry.name = metric.name
        if metric.alias >= 0:
            entry.alias = metric.alias
        bits = _BITS.get(metric.type)
        setattr(entry, field, int(metric.value) % (1 << bits) if bits else metric.value)
    if seq is not None:
        payload.seq = seq
    data: bytes = payload.SerializeToString(deterministic=True)
    return data


def commands(payload: bytes) -> dict[str, bool]:
    """Return the metrics of a command that are true or false, by name; none where the payload is not one of Sparkplug B."""
    message = parsed(payload)
    metrics = message.metrics if message else ()
    return {metric.name: metric.boolean_value for metric in metrics if metric.HasField("boolean_value")}
