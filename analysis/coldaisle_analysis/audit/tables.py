"""Foreign tables as subjects of the audit: columns are recognised by their usual names, and text becomes numbers."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from coldaisle_analysis.audit.foreign import classes as classes_module
from coldaisle_analysis.audit.foreign import files
from coldaisle_analysis.audit.foreign.classes import Classes, classes_of
from coldaisle_analysis.audit.foreign.layout import MISSING
from coldaisle_analysis.audit.foreign.times import are_times, times_of
from coldaisle_analysis.audit.foreign.values import encoded
from coldaisle_analysis.audit.subject import Subject
from coldaisle_contracts.errors import InputError

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
_KINDS = (
    "kind",
    "attack",
    "attackcat",
    "attacktype",
    "attackname",
    "attackcategory",
    "attacksubcategory",
    "detailedlabel",
)
"""Names of columns that say which attack a row belongs to."""
_TRUTHS = (
    *_KINDS,
    "label",
    "labels",
    "attacklabel",
    "isattack",
    "ismalicious",
    "binarylabel",
    "multiclasslabel",
)
"""Names of columns that are labels, too."""
_PERHAPS = ("category", "type", "class", "subcategory", "target", "classification", "traffictype", "scenario")
"""Names of columns that are labels if their values divide the rows as the label does."""
_IDENTITY = ("src", "dst", "sport", "dport", "mac", "ttl", "window", "ipid", "seq", "ack", "flow", "client")
_NAMES = ("id", "src", "dst", "mac", "flow", "client", "episode", "day")
"""Meanings whose text stays as it is."""
_NUMBERS = ("sport", "dport", "ttl", "window", "ipid", "seq", "ack", "flags", "length", "payload")
"""Meanings that hold numbers only."""
_NO_FEATURE = ("id", "time", "episode", "day", *_IDENTITY)
_FEW = 20
"""From this number of rows on, text that names nearly every row is an identity."""
_HALF = 0.5
_LISTED = 12
"""How many names of columns a sentence lists."""


def load(places: Path | Sequence[Path], label: str = "label", benign: Sequence[str] = ()) -> Subject:
    """Read a table with a label column.

    Args:
        places: files, folders and patterns: CSV, Parquet, Zeek logs or ARFF with the same columns; text may be packed.
        label: name of the label column, with 0 and 1 or with names of classes.
        benign: classes that are no attack, beside those of :data:`~coldaisle_analysis.audit.foreign.classes.BENIGN`.

    Raises:
        InputError: if it cannot be read, has no such column, or no class is known to be no attack.
    """
    remarks: list[str] = []
    paths = files.files_of([places] if isinstance(places, Path) else places, remarks)
    frame = files.read(paths, remarks)
    if frame.empty:
        raise InputError(paths[0], "has no rows: give a table with some")
    name = paths[0].name if len(paths) == 1 else f"{len(paths)} tables from {paths[0].name}"
    return of_frame(frame, name, label, benign, remarks)


def of_frame(
    frame: pd.DataFrame,
    name: str,
    label: str = "label",
    benign: Sequence[str] = (),
    remarks: Sequence[str] = (),
) -> Subject:
    """Return a table as a subject.

    Args:
        frame: the rows.
        name: its name, usually that of its file.
        label: name of its label column.
        benign: further classes that are no attack.
        remarks: what a reader should know already.

    Raises:
        InputError: if it has no such column, its classes are not known, or its time cannot be read.
    """
    notes = list(remarks)
    if frame.columns.has_duplicates:
        twice = frame.columns[frame.columns.duplicated()][0]
        raise InputError(f"{name}: column {twice}", "is there twice: rename one")
    label = _label_of(frame, name, label)
    frame = _without_blanks(frame, label, notes)
    classes = classes_of(frame[label], f"{name}: column {label}", benign)
    notes.append(classes.sentence(label))
    meaning = _meanings(frame, label)
    truths, kinds = _truths(frame, label, classes, notes)
    columns = _Columns(frame, name, meaning, {label, *truths}, notes)
    columns.encode()
    return Subject(
        name=name,
        level="table",
        frame=columns.frame,
        label=classes.attack,
        kind=_kind(frame, classes, kinds),
        features=columns.features,
        identity=columns.names,
        clocks=columns.clocks,
        meaning=meaning,
        texts=columns.texts,
        remarks=notes,
    )


def _label_of(frame: pd.DataFrame, place: str, label: str) -> str:
    """Return the label column: of this name, or the only one of this name whatever its case and punctuation."""
    if label in frame:
        return label
    alike = [str(name) for name in frame if _plain(name) == _plain(label)]
    if len(alike) == 1:
        return alike[0]
    names = [str(name) for name in frame]
    if sum(bool(re.fullmatch(r"[-+]?[\d.,]+", text)) for text in names) > _HALF * len(names):
        raise InputError(
            f"{place}: line 1",
            "holds values and no names of columns: write a line of names above it",
            names[0],
        )
    likely = [text for text in names if _plain(text) in (*_TRUTHS, *_PERHAPS)]
    listed = names if len(names) <= 2 * _LISTED else [*names[:_LISTED], "…", *names[-_LISTED:]]
    guess = f" (perhaps {' or '.join(likely[:3])})" if likely else ""
    raise InputError(
        f"{place}: column {label}",
        f"name the label column with --label; there are {', '.join(listed)}{guess}",
    )


def _without_blanks(frame: pd.DataFrame, label: str, notes: list[str]) -> pd.DataFrame:
    """Return a table without the rows that hold no value at all."""
    empty = _is_empty(frame[label])
    rows = np.flatnonzero(empty)
    for column in frame:
        if not len(rows):
            break
        rows = rows[_is_empty(frame[column].iloc[rows])]
    if not len(rows):
        return frame
    notes.append(f"{len(rows):,} rows without any value were left out.")
    return frame.drop(index=frame.index[rows]).reset_index(drop=True)


def _is_empty(column: pd.Series) -> np.ndarray:
    return np.asarray(
        column.isna() | (column.astype("object") == "")
        if not pd.api.types.is_numeric_dtype(column)
        else column.isna()
    )


def _plain(name: object) -> str:
    return re.sub(r"[^a-z0-9]", "", str(name).lower())


def _meanings(frame: pd.DataFrame, label: str) -> dict[str, str]:
    """Return the column of each meaning: the first alias that the table has."""
    plain = {_plain(name): str(name) for name in reversed(list(frame)) if name != label}
    hits = {key: [plain[name] for name in names if name in plain] for key, names in _ALIASES.items()}
    return {key: names[0] for key, names in hits.items() if names}


def _truths(
    frame: pd.DataFrame, label: str, classes: Classes, notes: list[str]
) -> tuple[list[str], str | None]:
    """Return the other columns that are labels, which are no features, and the one of them that says the kind of attack."""
    plain = {str(column): _plain(column) for column in frame if column != label}
    truths = [
        name
        for name, text in plain.items()
        if text in _TRUTHS or (text in _PERHAPS and _repeats(frame[name], classes))
    ]
    if truths:
        notes.append(f"{', '.join(truths)}: labels as well as {label}, and no feature.")
    kinds = [name for name in truths if plain[name] in (*_KINDS, *_PERHAPS)] if classes.are_generic else []
    return truths, kinds[0] if kinds else None


def _repeats(column: pd.Series, classes: Classes) -> bool:
    """Tell whether a column has names of benign classes, or one value, just where the label has them."""
    codes, distinct = pd.factorize(column, use_na_sentinel=False)
    pairs = pd.DataFrame({"value": codes, "attack": classes.attack}).drop_duplicates()
    if pairs["value"].duplicated().any() or not classes.attack.any():
        return False
    benign = pairs["value"][~pairs["attack"]].to_numpy()
    return len(benign) <= 1 or all(classes_module.is_benign(str(distinct[code])) for code in benign)


def _kind(frame: pd.DataFrame, classes: Classes, kinds: str | None) -> pd.Series:
    """Return the kind of attack of each row."""
    named = (
        frame[kinds].astype("str").to_numpy()
        if kinds
        else np.array(classes.names, dtype=object)[classes.codes]
    )
    return pd.Series(np.where(classes.attack, named, "normal"))


class _Columns:
    """The columns of a table as the checks take them: numbers, codes, times, and names as they are.

    Attributes:
        frame: the table.
        features, names, clocks: columns that a model may learn from, that name a row, and that hold times.
        texts: the texts behind the codes of each column that is text.
    """

    def __init__(
        self, frame: pd.DataFrame, place: str, meaning: dict[str, str], truth: set[str], notes: list[str]
    ) -> None:
        self.frame, self._place, self._meaning, self._notes = (
            frame.reset_index(drop=True),
            place,
            meaning,
            notes,
        )
        self._truth = truth
        self.features: list[str] = []
        self.names = [meaning[key] for key in _IDENTITY if key in meaning]
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
            self.names.append(name)
            self.frame[name] = _unnamed(column)
            return False
        self.frame[name] = codes.numbers
        if codes.texts:
            self.texts[name] = codes.texts
        self._put(_FORMS[codes.form], name)
        return True

    def _put(self, form: str, name: str) -> None:
        self._forms.setdefault(form, []).append(name)


_FORMS = {
    "text": "Text, examined as one code for each text",
    "numbers and text": "Numbers with some texts, examined as numbers and one code for each text",
    "numbers": "Numbers written as text, read as numbers",
    "hexadecimal numbers": "Hexadecimal numbers, read as numbers",
    "numbers with decimal commas": "Decimal commas, read as such",
    "numbers with commas between thousands": "Commas between thousands, read as such",
}


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
    date = next((str(other) for other in frame if _plain(other) == "date" and other != name), None)
    if date is None or pd.api.types.is_numeric_dtype(column) or pd.api.types.is_datetime64_any_dtype(column):
        return column
    texts = column.astype("object").astype("str").str.strip()
    if not texts.str.fullmatch(r"\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?(\s*[APap]\.?[Mm]\.?)?").any():
        return column
    return frame[date].astype("object").astype("str").str.strip() + " " + texts
