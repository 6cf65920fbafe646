"""Payloads of Sparkplug B (Eclipse Sparkplug 3.0.0, chapter 6): metrics in Protocol Buffers, named by a birth and by alias afterwards."""

from typing import Any, NamedTuple

from coldaisle_contracts.sparkplug import parsed

_NAMESPACE, _PARTS = "spBv1.0", 4
_VALUES = ("int_value", "long_value", "float_value", "double_value")
_SIGNED = {1: 8, 2: 16, 3: 32, 4: 64}
"""Bits of the signed types, whose values are sent as unsigned numbers."""
_DATE = 13
_SESSION = "bdSeq"
"""Metric that numbers the sessions of a node."""


class Address(NamedTuple):
    """What a topic says: type of the message, edge node, and the topic without the type."""

    message: str
    node: str
    topic: str


def address(topic: str) -> Address | None:
    """Return the parts of a topic of Sparkplug B, ``spBv1.0/GROUP/TYPE/NODE[/DEVICE]``; ``None`` for any other."""
    parts = topic.split("/")
    if parts[0] != _NAMESPACE or len(parts) < _PARTS:
        return None
    return Address(parts[2], f"{parts[1]}/{parts[3]}", "/".join([*parts[:2], *parts[3:]]))


class Metrics:
    """Reads payloads in order; remembers name and type of each alias of a node until it is born again."""

    def __init__(self) -> None:
        self._names: dict[str, dict[int, tuple[str, int]]] = {}

    def read(self, where: Address, payload: bytes) -> dict[str, float]:
        """Return the number of each metric by name; of an alias without its birth, the name is ``alias 7``."""
        message = parsed(payload)
        if message is None:
            return {}
        if where.message == "NBIRTH":
            self._names[where.node] = {}
        names = self._names.setdefault(where.node, {})
        numbers: dict[str, float] = {}
        for metric in message.metrics:
            if metric.name and metric.HasField("alias"):
                names[metric.alias] = metric.name, metric.datatype
            name, datatype = names.get(metric.alias, (f"alias {metric.alias}", metric.datatype))
            if metric.name:
                name, datatype = metric.name, metric.datatype or datatype
            field = next(filter(metric.HasField, _VALUES), None)
            is_left_out = metric.is_historical or metric.is_null or datatype == _DATE or name == _SESSION
            if field and not is_left_out:
                numbers[name] = _value(metric, datatype, field)
        return numbers


def _value(metric: Any, datatype: int, field: str) -> float:
    value = getattr(metric, field)
    if datatype not in _SIGNED or field not in {"int_value", "long_value"}:
        return float(value)
    sign = 1 << (_SIGNED[datatype] - 1)
    return float((value & (sign - 1)) - (value & sign))
