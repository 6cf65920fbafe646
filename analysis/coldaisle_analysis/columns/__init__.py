"""The columns of the dataset: the one table that defines files, documentation and feature lists.

Each level has a module with one line per column: name, group, type, unit, meaning and, where an outside tool has the
same column, that tool's name for it (tshark's display field; for flows, NFStream's attribute). The group says what a
column may be used for. Columns of ``feature`` and ``value`` are causal and made for models. ``identity`` names hosts or
frames and leaks the label. ``time`` holds times. ``label`` is the truth, known only from the journals. ``meta`` says
where the row comes from, or is decoded but not learned from.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Literal, cast

from coldaisle_analysis.columns import flows, messages, packets, readings, truth, windows

if TYPE_CHECKING:  # the decoder needs the table and not pandas, which takes long to import
    import pandas as pd

Level = Literal["packets", "messages", "readings", "flows", "windows"]
Group = Literal["identity", "time", "feature", "value", "label", "meta"]
LEVELS: tuple[Level, ...] = ("packets", "messages", "readings", "flows", "windows")
LEARNED: tuple[Level, ...] = ("packets", "readings")
"""The levels that models are trained and scored on; the others are derived from them."""
WIRE: tuple[Level, ...] = ("packets", "messages")
"""The levels that a capture without labels decodes to."""


@dataclass(frozen=True)
class Column:
    """One column of the dataset.

    Attributes:
        level: ``packets`` (one row per frame), ``messages`` (per MQTT control packet), ``readings`` (per planned reading),
            ``flows`` (per bidirectional flow) or ``windows`` (per sensor and interval of time).
        name: its name in the files.
        group: the use it is meant for, see the module's first lines.
        dtype: pandas dtype; the capital ``Int`` types hold missing values.
        unit: SI unit, ``1`` for counts and ratios, empty for text and codes.
        meaning: its description.
        outside: an outside tool's name for the same column; several names where each row has only one of them, empty
            where the tool has none.
    """

    level: Level
    name: str
    group: Group
    dtype: str
    unit: str
    meaning: str
    outside: str = ""

    @property
    def causal(self) -> bool:
        """Whether it is known as soon as the row's frame (packets), slot, flow or window has ended."""
        return self.group != "label"

    @property
    def numeric(self) -> bool:
        """Whether a model can use it as a number."""
        return self.dtype.lower().startswith(("int", "float"))

    @property
    def tshark(self) -> str:
        """The display fields it equals, empty when Wireshark has none."""
        return "" if self.level == "flows" else self.outside

    @property
    def nfstream(self) -> str:
        """The NFStream attribute it equals (in s where that is in ms), empty when NFStream has none."""
        return self.outside if self.level == "flows" else ""


SIZED = frozenset(
    {"dev_long", "dev_mean", "dev_siblings", "long_siblings", "value_dev_long", "value_dev_host"}
)
"""Signed columns that our models get as absolute values: an attacker may shift values up or down, and a model that saw one should
recognise the other."""
UNLEARNED = frozenset({"diff", "dev", "value_diff", "value_dev", "dev_units"})
"""Signed columns whose absolute value is a column of its own; and the comparison with other units, which in the published captures
only shows that an excursion was copied from one unit to another."""

_TABLES: dict[Level, str] = {
    "packets": packets.TABLE,
    "messages": messages.TABLE,
    "readings": readings.TABLE,
    "flows": flows.TABLE,
    "windows": windows.TABLE,
}
_OUTSIDE: dict[Level, str] = {"flows": "NFStream attribute"}
_DTYPES = {"text": "category", "float": "float64", "utc": "datetime64[ns, UTC]", "bytes": "binary[pyarrow]"}


def _column(level: Level, line: str) -> Column:
    name, group, kind, unit, meaning, *outside = (cell.strip() for cell in line.split("|"))
    dtype = _DTYPES.get(kind, kind)
    return Column(level, name, cast("Group", group), dtype, unit, meaning, "".join(outside))


COLUMNS: tuple[Column, ...] = tuple(
    _column(level, line)
    for level, table in _TABLES.items()
    for line in (table + (truth.TABLE if level in LEVELS else "")).splitlines()
)
"""Every column of every level, in the order of the files."""
TLS: tuple[Column, ...] = tuple(_column("packets", line) for line in packets.TLS_TABLE.splitlines())
"""Columns of level ``packets`` behind all others, in a run whose broker has TLS alone. Models do not learn from them."""
CHAINED = tuple(_column("packets", line) for line in truth.CHAINED.splitlines())
"""The further columns that every level of a run with a chain has, after all others."""


@cache
def columns(level: Level) -> tuple[Column, ...]:
    """Return the columns of a level, in the order of the files."""
    return tuple(column for column in COLUMNS if column.level == level)


def columns_of_run(level: Level, *, tls: bool = False, chained: bool = False) -> tuple[Column, ...]:
    """Return the columns of a level of a run, in the order of the files.

    Args:
        level: the level.
        tls: whether the run's broker has TLS alone.
        chained: whether the run has a chain of episodes.
    """
    steps = (replace(column, level=level) for column in CHAINED if chained)
    return (*columns(level), *(TLS if tls and level == "packets" else ()), *steps)


def names(level: Level, *groups: Group) -> list[str]:
    """Return the names of a level's columns in these groups, or of all its columns when no group is given."""
    return [column.name for column in columns(level) if not groups or column.group in groups]


def features(level: Level, *, identity: bool = False) -> list[str]:
    """Return the numeric columns that a model may learn from.

    Args:
        level: the level.
        identity: add the numeric identity columns, which leak the label.
    """
    groups = {"feature", "value", "identity"} if identity else {"feature", "value"}
    return [column.name for column in columns(level) if column.group in groups and column.numeric]


def learned(level: Level) -> list[str]:
    """Return the columns that our models learn from: the features without :data:`UNLEARNED`."""
    return [name for name in features(level) if name not in UNLEARNED]


def conform(frame: "pd.DataFrame", level: Level) -> "pd.DataFrame":
    """Return the frame with exactly the level's columns, in order and of their dtypes.

    Raises:
        KeyError: if one is missing.
    """
    dtypes = {column.name: column.dtype for column in columns(level)}
    return frame[list(dtypes)].astype(dtypes)


def markdown(level: Level, chosen: Sequence[Column] = ()) -> str:
    """Return a level's columns, or some of them, as a Markdown table, as docs/dataset.md shows them."""
    tool = _OUTSIDE.get(level, "tshark field")
    head = f"| column | group | type | unit | meaning | {tool} |\n|---|---|---|---|---|---|"
    return "\n".join([head, *(_row(column) for column in chosen or columns(level))])


def _row(column: Column) -> str:
    kind = next((short for short, dtype in _DTYPES.items() if dtype == column.dtype), column.dtype)
    outside = ", ".join(f"`{name}`" for name in column.outside.split())
    return f"| `{column.name}` | {column.group} | {kind} | {column.unit} | {column.meaning} | {outside} |"
