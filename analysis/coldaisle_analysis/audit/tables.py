"""Foreign tables as subjects of the audit: columns are recognised by their usual names, and text becomes numbers."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from coldaisle_analysis.audit.foreign import files
from coldaisle_analysis.audit.foreign.classes import Classes, classes_of
from coldaisle_analysis.audit.foreign.columns import Columns, meanings_of, plain
from coldaisle_analysis.audit.subject import Subject
from coldaisle_analysis.class_names import is_benign
from coldaisle_contracts.errors import InputError

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
_HALF = 0.5
_LISTED = 12
"""How many names of columns a sentence lists."""


def load(places: Path | Sequence[Path], label: str = "label", benign: Sequence[str] = ()) -> Subject:
    """Read a table with a label column.

    Args:
        places: files, folders and patterns: CSV, Parquet, Zeek logs or ARFF with the same columns; text may be packed.
        label: name of the label column, with 0 and 1 or with names of classes.
        benign: classes that are no attack, beside those of :data:`~coldaisle_analysis.class_names.BENIGN`.

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
    frame = frame.rename(columns=str)
    label = _label_of(frame, name, label)
    if f"{label}.1" in frame:
        raise InputError(f"{name}: column {label}", "is there twice: rename one")
    frame = _without_blanks(frame, label, notes)
    classes = classes_of(frame[label], f"{name}: column {label}", benign)
    notes.append(classes.sentence(label))
    meaning = meanings_of(frame, label)
    truths, kinds = _truths(frame, label, classes, notes)
    columns = Columns(frame, name, meaning, {label, *truths}, notes)
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
    alike = [str(name) for name in frame if plain(name) == plain(label)]
    if len(alike) == 1:
        return alike[0]
    names = [str(name) for name in frame]
    if sum(bool(re.fullmatch(r"[-+]?[\d.,]+", text)) for text in names) > _HALF * len(names):
        raise InputError(
            f"{place}: line 1",
            "holds values and no names of columns: write a line of names above it",
            names[0],
        )
    likely = [text for text in names if plain(text) in (*_TRUTHS, *_PERHAPS)]
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


def _truths(
    frame: pd.DataFrame, label: str, classes: Classes, notes: list[str]
) -> tuple[list[str], str | None]:
    """Return the other columns that are labels, which are no features, and the one of them that says the kind of attack."""
    plain_names = {str(name): plain(re.sub(r"\.\d+$", "", str(name))) for name in frame if name != label}
    truths = [
        name
        for name, text in plain_names.items()
        if text in (*_TRUTHS, plain(label)) or (text in _PERHAPS and _repeats(frame[name], classes))
    ]
    if truths:
        notes.append(f"{', '.join(truths)}: labels as well as {label}, and no feature.")
    kinds = (
        [name for name in truths if plain_names[name] in (*_KINDS, *_PERHAPS)] if classes.are_generic else []
    )
    return truths, kinds[0] if kinds else None


def _repeats(column: pd.Series, classes: Classes) -> bool:
    """Tell whether a column has names of benign classes, or one value, just where the label has them."""
    codes, distinct = pd.factorize(column, use_na_sentinel=False)
    pairs = pd.DataFrame({"value": codes, "attack": classes.attack}).drop_duplicates()
    if pairs["value"].duplicated().any() or not classes.attack.any():
        return False
    benign = pairs["value"][~pairs["attack"]].to_numpy()
    return len(benign) <= 1 or all(is_benign(str(distinct[code])) for code in benign)


def _kind(frame: pd.DataFrame, classes: Classes, kinds: str | None) -> pd.Series:
    """Return the kind of attack of each row."""
    named = (
        frame[kinds].astype("str").to_numpy()
        if kinds
        else np.array(classes.names, dtype=object)[classes.codes]
    )
    return pd.Series(np.where(classes.attack, named, "normal"))
