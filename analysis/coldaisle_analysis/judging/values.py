"""The values of alerts, as many formats write them: addresses with and without ports, protocols, numbers and times."""

import math
import re
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any

import pandas as pd

from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.errors import InputError

_PROTOCOLS = {"icmp": 1, "tcp": 6, "udp": 17, "ipv6-icmp": 58, "icmpv6": 58, "icmp6": 58}
_AP = re.compile(r"(?:\[(?P<six>[^\]]+)\]|(?P<four>[^:]+)|(?P<bare>.+?)):(?P<port>\d+)")
_ISO = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d")
_SNORT = re.compile(r"(\d\d)/(\d\d)(?:/(\d{2,4}))?-(\d\d):(\d\d):(\d\d)(\.\d+)?")
_UNITS = ((1e11, 10**9), (1e14, 10**6), (1e17, 10**3))
"""A number below the first is a time since the epoch in s, ms or µs, else in ns; the factor makes ns of it."""
_HALF_A_YEAR_S = 182 * 86_400
PORTS = 1 << 16
LONGEST_NS = 1 << 62


def endpoint(place: str, value: Any) -> tuple[str | None, str | None]:
    """Return address and port of text such as ``198.18.0.34:1883``; the port is ``None`` where there is none."""
    if value is None:
        return None, None
    text = str(value).strip()
    for address, port in ((text, None), *_split(text)):
        try:
            return str(ip_address(address)), port
        except ValueError:
            continue
    raise InputError(place, "write an IP address", text)


def _split(text: str) -> list[tuple[str, str | None]]:
    parts = _AP.fullmatch(text)
    return [(parts["six"] or parts["four"] or parts["bare"], parts["port"])] if parts else []


def number_of(place: str, value: Any) -> float:
    """Return a finite number.

    Raises:
        InputError: if the value is none.
    """
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise InputError(place, "write a number", value) from error
    if not math.isfinite(number):
        raise InputError(place, "write a finite number", value)
    return number


def whole(place: str, value: Any, least: int, most: int) -> int | None:
    """Return a whole number from ``least`` to below ``most``; ``None`` for no value.

    Raises:
        InputError: if the value is none, or out of these bounds.
    """
    if value is None:
        return None
    number = number_of(place, value)
    if number != int(number) or not least <= number < most:
        raise InputError(place, f"write a whole number from {least} on, below {most:,}", value)
    return int(number)


def protocol(value: Any) -> int | None:
    """Return the number of an IP protocol, ``None`` for a name of another layer, such as MQTT or ARP."""
    text = str(value).strip().lower()
    if value is None or text in _PROTOCOLS:
        return _PROTOCOLS.get(text)
    digits = text.removesuffix(".0")
    return int(digits) if digits.isdecimal() and len(digits) <= len("255") else None


def time_ns_of(place: str, value: Any, near_ns: int) -> int | None:
    """Return a time in ns since the epoch: a number, ISO 8601 (UTC where no offset stands), or as Snort writes it."""
    if value is None:
        return None
    if isinstance(value, datetime):
        return _of_stamp(place, pd.Timestamp(value))
    text = str(value).strip()
    if parts := _SNORT.fullmatch(text):
        return _of_snort(place, parts, near_ns)
    if _ISO.match(text):
        try:
            return _of_stamp(place, pd.Timestamp(text))
        except ValueError as error:
            raise InputError(place, "write a time as ISO 8601", text) from error
    return _of_number(place, value, text)


def _of_number(place: str, value: Any, text: str) -> int:
    """Return a time since the epoch in ns, whose digits tell its unit; digits behind the point are kept."""
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        remedy = (
            "write seconds since the epoch, ISO 8601 such as 2026-03-02T10:00:00Z, or MM/DD-HH:MM:SS as Snort"
        )
        raise InputError(place, remedy, text) from error
    factor = next((factor for most, factor in _UNITS if abs(number) < most), 1)
    if not math.isfinite(number) or abs(number) * factor >= LONGEST_NS:
        raise InputError(place, "write a time since the epoch", text)
    whole, _, digits = text.partition(".")
    if isinstance(value, str) and whole.isdecimal() and (digits.isdecimal() or not digits):
        return int(whole) * factor + int(int(digits or 0) * factor / 10 ** len(digits))
    return int(number) * factor + round((number - int(number)) * factor)


def _of_stamp(place: str, stamp: pd.Timestamp) -> int:
    zoned = stamp.tz_localize(UTC) if stamp.tzinfo is None else stamp
    try:
        return int(zoned.as_unit("ns").value)
    except (ValueError, OverflowError) as error:
        raise InputError(place, "write a time between 1678 and 2261", str(stamp)) from error


def _of_snort(place: str, parts: re.Match[str], near_ns: int) -> int:
    """Return the time of ``MM/DD-HH:MM:SS.ffffff``, with or without a year; without, in the year that is next to the capture."""
    month, day, year, hour, minute, second = (int(part) if part else 0 for part in parts.groups()[:6])
    near = datetime.fromtimestamp(near_ns // SECOND, UTC)
    fraction = int(float(parts[7] or 0) * SECOND)
    years = [year + 2000 * (year < 100)] if parts[3] else [near.year, near.year - 1, near.year + 1]  # noqa: PLR2004 - two digits
    for candidate in years:
        try:
            stamp = datetime(candidate, month, day, hour, minute, second, tzinfo=UTC)
        except ValueError:
            continue  # 29 February of another year
        if parts[3] or abs((stamp - near).total_seconds()) <= _HALF_A_YEAR_S:
            return int(stamp.timestamp()) * SECOND + fraction
    raise InputError(place, "write a time that exists, as MM/DD-HH:MM:SS", parts[0])
