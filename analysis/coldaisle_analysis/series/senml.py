"""Sensor Measurement Lists (SenML, RFC 8428), in JSON or CBOR: names and values of records, with their base fields added."""

from collections.abc import Mapping, Sequence
from typing import Any

_LABELS = {-2: "bn", -3: "bt", -5: "bv", -6: "bs", 0: "n", 2: "v", 3: "vs", 4: "vb", 5: "s", 6: "t", 8: "vd"}
"""The integers that stand for names in CBOR (RFC 8428, table 6)."""
_VALUES = frozenset({"v", "vs", "vb", "vd", "s", "bv", "bs"})


def records(value: object) -> list[Mapping[str, Any]] | None:
    """Return the records of a pack with their names in JSON's form; ``None`` if a value is no pack."""
    if not isinstance(value, Sequence) or isinstance(value, str | bytes) or not value:
        return None
    if not all(isinstance(record, Mapping) for record in value):
        return None
    pack: list[Mapping[str, Any]] = [
        {_LABELS.get(name, name): item for name, item in record.items()} for record in value
    ]
    is_pack = all(record.keys() & {"n", "bn"} or record.keys() & _VALUES for record in pack)
    named = any(isinstance(record.get(name), str) for record in pack for name in ("n", "bn"))
    return pack if is_pack and named and any(record.keys() & _VALUES for record in pack) else None


def resolve(pack: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return the newest number of each name; a record with a text, a truth value or bytes has none (sections 4.1 to 4.6)."""
    base_name, base_value, base_sum = "", 0.0, 0.0
    numbers: dict[str, tuple[float, float]] = {}
    base_time = 0.0
    for record in pack:
        base_name = str(record.get("bn", base_name))
        base_time = _number(record.get("bt"), base_time)
        base_value, base_sum = _number(record.get("bv"), base_value), _number(record.get("bs"), base_sum)
        name, time = base_name + str(record.get("n", "")), base_time + _number(record.get("t"), 0.0)
        if "v" in record:
            value = base_value + _number(record["v"], float("nan"))
        elif "s" in record:
            value = base_sum + _number(record["s"], float("nan"))
        else:
            continue
        if name not in numbers or time >= numbers[name][0]:
            numbers[name] = time, value
    return {name: value for name, (_, value) in numbers.items()}


def _number(value: object, otherwise: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return otherwise
    try:
        return float(value)
    except OverflowError:
        return float("nan")
