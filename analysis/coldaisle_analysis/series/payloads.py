"""The numbers in payloads: plain text, a number with its unit, JSON, SenML, CBOR and Sparkplug B."""

import json
import math
import re
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from io import BytesIO
from typing import Literal, NamedTuple

import cbor2

from coldaisle_analysis.series import senml, sparkplug

Form = Literal["text", "text with unit", "JSON", "SenML", "CBOR", "Sparkplug B", "none"]
"""Form of a payload; ``none`` if it holds no number."""
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_TEXT = re.compile(rf"\s*({_NUMBER})\s*(?:[A-Za-z°%℃℉Ωµμ][^\s\d]{{0,9}}[23]?)?[\s\0]*", re.ASCII)
_PLAIN = re.compile(rf"\s*{_NUMBER}[\s\0]*", re.ASCII)
_CACHED = 256
"""Length of the longest payload whose numbers are remembered, in bytes."""
_DEEPEST = 32
"""Most levels of a payload that are read."""
_LONGEST = 16
"""Most items of an array that are series: a longer one holds samples or an image."""


class Number(NamedTuple):
    """A number of a payload.

    Attributes:
        field: path of its field, such as ``room.temperature`` or ``values[2]``; empty where the payload is the number.
        value: the number, which is finite.
    """

    field: str
    value: float


class Numbers(NamedTuple):
    """The numbers of a payload, each field once, in the order of the payload; its form; and the topic without the type of a Sparkplug message."""

    form: Form
    numbers: tuple[Number, ...]
    topic: str


class Payloads:
    """Reads payloads in order of time; remembers the aliases that Sparkplug B gives the names of metrics."""

    def __init__(self) -> None:
        self._metrics = sparkplug.Metrics()

    def read(self, topic: str, payload: bytes) -> Numbers:
        """Return the numbers of a payload."""
        address = sparkplug.address(topic)
        if address:
            numbers = self._metrics.read(address, payload)
            return _numbers("Sparkplug B", numbers, address.topic)
        form, numbers = _remembered(payload) if len(payload) <= _CACHED else _read(payload)
        return _numbers(form, numbers, topic)


def _numbers(form: Form, numbers: dict[str, float], topic: str) -> Numbers:
    finite = tuple(Number(*item) for item in numbers.items() if math.isfinite(item[1]))
    return Numbers(form if finite else "none", finite, topic)


def _read(payload: bytes) -> tuple[Form, dict[str, float]]:
    """Return form and numbers, by field, of a payload that says itself what it is."""
    try:
        text = payload.decode("utf-8-sig")
    except UnicodeDecodeError:
        return _structure("CBOR", _cbor(payload))
    if found := _TEXT.fullmatch(text):
        return "text" if _PLAIN.fullmatch(text) else "text with unit", {"": float(found[1])}
    return _structure("JSON", _json(text))


_remembered = lru_cache(1 << 14)(_read)


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _cbor(payload: bytes) -> object:
    """Return the value of CBOR (RFC 8949) that fills a payload; ``None`` if there is none."""
    stream = BytesIO(payload)
    try:
        value = cbor2.CBORDecoder(stream, max_depth=_DEEPEST).decode()
    except (cbor2.CBORError, ValueError, TypeError, ArithmeticError, RecursionError):
        return None
    return value if stream.tell() == len(payload) else None


def _structure(form: Form, value: object) -> tuple[Form, dict[str, float]]:
    records = senml.records(value)
    if records is not None:
        return "SenML", senml.resolve(records)
    return form, dict(_fields(value, "", _DEEPEST))


def _fields(value: object, path: str, levels: int) -> Iterator[tuple[str, float]]:
    """Yield path and value of every number in nested maps and arrays, those written as text included."""
    if isinstance(value, dict) and levels:
        for name, item in value.items():
            yield from _fields(item, f"{path}.{name}" if path else str(name), levels - 1)
    elif isinstance(value, list | tuple) and len(value) <= _LONGEST and levels:
        for place, item in enumerate(value):
            yield from _fields(item, f"{path}[{place}]", levels - 1)
    elif isinstance(value, str):
        if _PLAIN.fullmatch(value):
            yield path, float(value.strip("\0 \t\r\n"))
    elif isinstance(value, int | float | Decimal | Fraction) and not isinstance(value, bool):
        yield path, _float(value)


def _float(value: float | Decimal | Fraction) -> float:
    try:
        return float(value)
    except (OverflowError, ValueError):
        return math.nan
