"""The columns of a table: what they mean by their names, and what they hold as the checks take it."""

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from coldaisle_analysis.audit.foreign.layout import MISSING
from coldaisle_analysis.audit.foreign.times import are_times, times_of
from coldaisle_analysis.audit.foreign.values import Encoded, encoded
from coldaisle_contracts.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

_ALIASES: dict[str, tuple[str, ...]] = {
    "id": ("frame", "framenumber", "id", "flowid", "uid", "recordid"),
    "time": ("time", "timestamp", "ts", "frametime", "frametimeepoch", "datetime", "date", "stime", "starttime", "firstseen"),
    "src": ("ipsrc", "srcip", "src", "saddr", "sourceip", "sourceipaddress", "idorigh", "ipsrchost"),
    "dst": ("ipdst", "dstip", "dst", "daddr", "destinationip", "destinationipaddress", "idresph", "ipdsthost", "destip"),
    "sport": ("tcpsrcport", "srcport", "sport", "sourceport", "idorigp", "l4srcport"),
    "dport": ("tcpdstport", "dstport", "dport", "destinationport", "destport", "idrespp", "l4dstport"),
    "proto": ("ipproto", "proto", "protocol", "ipprotocol"),
    "mac": ("ethsrc", "srcmac", "smac", "sourcemac"),
    "ttl": ("ipttl", "ttl", "sttl", "minttl"),
    "window": ("tcpwindow", "tcpwindowsizevalue", "tcpwindowsize", "swin", "initwinbytesforward", "initfwdwinbyts"),
    "ipid": ("ipid",),
    "seq": ("tcpseq", "tcpseqraw", "stcpb"),
    "ack": ("tcpack", "tcpackraw", "dtcpb"),
    "flags": ("tcpflags",),
    "length": ("framelen", "length", "len"),
    "payload": ("tcplen", "payloadlen", "totlenfwdpkts"),
    "flow": ("flow", "tcpstream", "flownumber"),
    "client": ("client", "clientid", "mqttclientid"),
    "episode": ("episode",),
    "day": ("day",),
}  # fmt: skip
"""Names of columns for each meaning, in lower case and without punctuation."""
IDENTITY = ("src", "dst", "sport", "dport", "mac", "ttl", "window", "ipid", "seq", "ack", "flow", "client")
_NAMES = ("id", "src", "dst", "mac", "flow", "client", "episode", "day")
"""Meanings whose text stays as it is."""
_NUMBERS = ("sport", "dport", "ttl", "window", "ipid", "seq", "ack", "flags", "length", "payload")
"""Meanings that hold numbers only."""
_NO_FEATURE = ("id", "time", "episode", "day", *IDENTITY)
_FEW = 20
"""From this number of rows on, text that names nearly every row is an identity."""
_HALF = 0.5
_FORMS = {
    "text": "Text, examined as one code for each text",
    "numbers and text": "Numbers with some texts, examined as numbers and one code for each text",
    "numbers": "Numbers written as text, read as numbers",
    "hexadecimal numbers": "Hexadecimal numbers, read as numbers",
    "numbers with decimal commas": "Decimal commas, read as such",
    "numbers with commas between thousands": "Commas between thousands, read as such",
}
"""What a remark says of the columns that were text."""


def meanings_of(frame: pd.DataFrame, label: str) -> dict[str, str]:
    """Return the column of each meaning: the first alias that the table has."""
    columns = {plain(name): str(name) for name in reversed(list(frame)) if name != label}
    hits = {key: [columns[name] for name in names if name in columns] for key, names in _ALIASES.items()}
    return {key: names[0] for key, names in hits.items() if names}


def plain(name: object) -> str:
    """Return the name of a column in lower case and without punctuation."""
    return re.sub(r"[^a-z0-9]", "", str(name).lower())


class Columns:
    """The columns of a table as the checks take them: numbers, codes, times, and names as they are.

    Attributes:
        frame: the table.
        features, names, clocks: columns that a model may learn from, that name a row, and that hold times.
        texts: the texts behind the codes of each column that is text.
    """

    def __init__(
        self, frame: pd.DataFrame, place: str, meaning: dict[str, str], truth: set[str], notes: list[str]
    ) -> None:
        self._rows = frame
        self.frame, self._place, self._meaning, self._notes = (
            frame.reset_index(drop=True),
            place,
            meaning,
            notes,
        )
        self._truth = truth
        self.features: list[str] = []
        self.names = [meaning[key] for key in IDENTITY if key in meaning]
        self.clocks: list[str] = []
        self.texts: dict[str, Mapping[float, str]] = {}
        self._forms: dict[str, list[str]] = {}

    def encode(self) -> None:
        """Look at each column once."""
        self._time()
        skipped = {self._meaning[key] for key in _NO_FEATURE if key in self._meaning} | self._truth
        meant = {name: key for key, name in self._meaning.items()}
        for name in map(str, list(self.frame)):
            key = meant.get(name, "")
            if name in self._truth or name in self.clocks:
                continue
            if key in _NAMES:
                self.frame[name] = _unnamed(self.frame[name])
                if key not in IDENTITY:
                    self._put("Ids, days and episodes, no features", name)
            elif self._is_number(name, key) and name not in skipped:
                self.features.append(name)
        for form, names in self._forms.items():
            self._notes.append(f"{form}: {', '.join(names)}.")

    def _time(self) -> None:
        if "time" not in self._meaning:
            return
        name = self._meaning["time"]
        column = _dated(self.frame, name)
        self.frame[name] = times_of(column, f"{self._place}: column {name}", self._notes)
        self.clocks.append(name)

    def _is_number(self, name: str, key: str) -> bool:
        """Turn a column into numbers; return whether it is a feature, and neither a clock nor a name."""
        column = self.frame[name]
        if pd.api.types.is_numeric_dtype(column):
            return True
        if pd.api.types.is_datetime64_any_dtype(column) or are_times(column):
            self._put("Further times, no features", name)
            self.clocks.append(name)
            return False
        codes = encoded(column)
        if codes.is_text and key in _NUMBERS:
            del self._meaning[key]
        if codes.is_text and _names_rows(codes.numbers):
            self._put("Text that names nearly every row, and is examined as an identity", name)
            self.names += [name] * (name not in self.names)
            self.frame[name] = _unnamed(column)
            return False
        self._refuse_header(name, codes)
        self.frame[name] = codes.numbers
        if codes.texts:
            self.texts[name] = codes.texts
        self._put(_FORMS[codes.form], name)
        return True

    def _refuse_header(self, name: str, codes: Encoded) -> None:
        """Refuse a column with the name of a column among its values."""
        names = set(map(str, self.frame))
        for code, text in codes.texts.items():
            row = int((codes.numbers == code).argmax()) if text in names else 0
            cells = [str(cell).strip() for cell in self._rows.iloc[row]] if text in names else []
            if sum(cell in names for cell in cells) > _HALF * len(names):
                remedy = "holds the name of a column: remove this header, or divide the table there"
                raise InputError(f"{self._place}: row {row + 1}: column {name}", remedy, text)

    def _put(self, form: str, name: str) -> None:
        self._forms.setdefault(form, []).append(name)


def _names_rows(codes: np.ndarray) -> bool:
    """Tell whether most values of a column stand in one row only."""
    counts = np.unique(codes, return_counts=True)[1]
    return len(codes) >= _FEW and int((counts == 1).sum()) > _HALF * len(codes)


def _unnamed(column: pd.Series) -> pd.Series:
    """Return a column of names with its missing ones as such."""
    if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_datetime64_any_dtype(column):
        return column
    names = column.astype("category")
    return names.cat.remove_categories(
        [name for name in names.cat.categories if str(name).strip() in MISSING]
    )


def _dated(frame: pd.DataFrame, name: str) -> pd.Series:
    """Return the column of times, with the date of a column of its own before times of day."""
    column = frame[name]
    date = next((str(other) for other in frame if plain(other) == "date" and other != name), None)
    if date is None or pd.api.types.is_numeric_dtype(column) or pd.api.types.is_datetime64_any_dtype(column):
        return column
    texts = column.astype("object").astype("str").str.strip()
    if not texts.str.fullmatch(r"\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?(\s*[APap]\.?[Mm]\.?)?").any():
        return column
    return frame[date].astype("object").astype("str").str.strip() + " " + texts
