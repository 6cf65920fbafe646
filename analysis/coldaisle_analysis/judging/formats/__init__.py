"""Formats of alert files, told apart by their first line; each module turns a line or row into the facts of an alert.

=============  ===================================================================================================
``eve``        Suricata's ``eve.json``: the events of type ``alert``
``slips``      Slips' ``alerts.json``: IDMEFv2, or IDEA0 of older versions
``snort``      Snort's ``alert_fast``, ``alert_csv`` and ``alert_json``, and Suricata's ``fast.log``
``zeek``       Zeek's logs, tab-separated or JSON: ``notice.log``, and any log with a verdict per connection
``rows``       CSV, Parquet and JSON lines with columns of the names in :data:`~coldaisle_analysis.judging.alerts.NAMES`
=============  ===================================================================================================
"""

import gzip
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

from coldaisle_analysis.judging.alerts import Alert, alert_of, along, is_alert
from coldaisle_analysis.judging.formats import eve, rows, slips, snort, zeek
from coldaisle_contracts import texts
from coldaisle_contracts.errors import InputError

REMEDY = "name a file of alerts: eve.json, notice.log, alert_fast, alerts.json, CSV, Parquet or JSON lines"
MOST = 1 << 32
"""Greatest length of a packed file's content, in bytes."""
_GZIP = b"\x1f\x8b"
Records = Iterator[tuple[str, Mapping[str, Any]]]
"""The place of each row, such as ``line 3``, and its facts."""


class Format(NamedTuple):
    """A format of alerts.

    Attributes:
        name: its detector, or ``alerts``.
        is_it: tells it by the first line that is not blank.
        records: yields the rows of a file's text, alerts or not, with their facts under small letters.
    """

    name: str
    is_it: Callable[[str], bool]
    records: Callable[[Path, str], Records]


FORMATS = (
    Format("suricata", eve.is_it, eve.records),
    Format("slips", slips.is_it, slips.records),
    Format("snort", snort.is_it, snort.records),
    Format("zeek", zeek.is_it, zeek.records),
    Format("alerts", rows.is_it, rows.records),
)
"""The formats, the most special first."""


@dataclass(frozen=True)
class Reading:
    """The alerts of some files.

    Attributes:
        detector: the detector, as far as the files tell it.
        alerts: its alerts.
        left_out: number of rows and events that are no alert.
    """

    detector: str
    alerts: list[Alert]
    left_out: int


def read(paths: Sequence[Path], near_ns: int) -> Reading:
    """Return the alerts of files; a ``conn.log`` without a verdict serves as the list of connections that a ``uid`` names.

    Args:
        paths: the files; an empty one has no alert.
        near_ns: a time that the capture holds, for formats without a year.

    Raises:
        InputError: if a file cannot be read, is of no known format, or has a value that cannot be used.
    """
    detectors, alerts, left_out = set[str](), list[Alert](), 0
    connections: dict[str, Alert] = {}
    for path in paths:
        name, records = _records(path)
        detectors.add(name)
        for line, facts in records:
            alert = alert_of(f"{path}: {line}", facts, near_ns)
            if facts.get(zeek.IS_CONNECTION):
                connections[alert.uid or ""] = alert
            elif is_alert(facts) and alert.score > 0:
                alerts.append(alert)
            else:
                left_out += 1
    named = [along(alert, connections[alert.uid]) if alert.uid in connections else alert for alert in alerts]
    return Reading("+".join(sorted(detectors - {""})) or "alerts", named, left_out)


def _records(path: Path) -> tuple[str, Records]:
    """Return the name of a file's format, and its rows."""
    data = _unpacked(path, texts.read(path, REMEDY, most=None))
    if data[:4] == rows.PARQUET:
        return "alerts", rows.of_parquet(path)  # it has a compression of its own
    text = texts.decoded(path, data)
    head = next((line for line in text.splitlines() if line.strip()), "")
    if not head:
        return "", iter(())
    for form in FORMATS:
        if form.is_it(head):
            return form.name, form.records(path, text)
    raise InputError(path, f"is of no known format: {REMEDY}", head[:60])


def _unpacked(path: Path, data: bytes) -> bytes:
    """Return the bytes of a file, unpacked if it is packed with gzip, as Zeek packs its old logs.

    Raises:
        InputError: if it is cut off or broken, or holds more than :data:`MOST`.
    """
    if not data.startswith(_GZIP):
        return data
    try:
        with gzip.GzipFile(fileobj=BytesIO(data)) as file:
            unpacked = file.read(MOST + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(path, "is no whole gzip file: pack it again") from error
    if len(unpacked) > MOST:
        raise InputError(path, f"holds more than {MOST:,} bytes: split it")
    return unpacked
