"""The table of columns, and the document printed from it."""

from pathlib import Path

import pandas as pd
import pytest

from coldaisle_analysis.columns import COLUMNS, LEVELS, Level, columns, conform, features, markdown, names
from coldaisle_analysis.truth.readings import DONE, FATES, SETTLED

DOCUMENT = Path(__file__).parents[2] / "docs" / "dataset.md"


@pytest.mark.parametrize("level", LEVELS)
def test_document_shows_the_table(level: Level) -> None:
    """docs/dataset.md holds exactly the tables that are printed from the code."""
    assert f"\n\n{markdown(level)}\n" in DOCUMENT.read_text(encoding="utf-8")


def test_document_names_every_fate() -> None:
    """docs/dataset.md names all fates of a reading wherever it lists them: in the text and in the row of the column."""
    text = " ".join(DOCUMENT.read_text(encoding="utf-8").split())
    fates = ["delivered", *sorted(FATES.values())]
    assert f"`fate` says {', '.join(f'`{fate}`' for fate in fates[:-1])} or `{fates[-1]}`" in text
    assert f"delivered, or {', '.join(fates[1:-1])} or {fates[-1]} by a named act" in text
    (column,) = (column for column in columns("readings") if column.name == "fate")
    assert column.meaning == f"{', '.join(fates[:-1])} or {fates[-1]}"


def test_document_says_what_the_semantic_digest_is_of() -> None:
    """docs/dataset.md names every key of both sorts of line that the semantic digest is computed from."""
    text = " ".join(DOCUMENT.read_text(encoding="utf-8").split())
    assert f"sorted lines, `{';'.join(SETTLED)}` of each reading and `{';'.join(DONE)}` of each act" in text


@pytest.mark.parametrize("level", LEVELS)
def test_names_are_unique(level: Level) -> None:
    """No level has two columns of the same name."""
    assert len(set(names(level))) == len(columns(level))


def test_every_column_says_what_it_means() -> None:
    """Each column has a known group and a meaning, and measured numbers have a unit."""
    groups = {"identity", "time", "feature", "value", "label", "meta"}
    assert {column.group for column in COLUMNS} == groups
    assert all(column.meaning for column in COLUMNS)
    assert all(column.unit for column in COLUMNS if column.dtype == "float64")


@pytest.mark.parametrize("level", LEVELS)
def test_features_leave_truth_and_identity_out(level: Level) -> None:
    """By default, features are causal numbers of the groups ``feature`` and ``value``."""
    chosen = [column for column in columns(level) if column.name in features(level)]
    assert chosen
    assert {column.group for column in chosen} <= {"feature", "value"}
    assert all(column.numeric and column.causal for column in chosen)


def test_identity_is_added_when_asked_for() -> None:
    """Source port and message id are features only with ``identity=True``."""
    leaking = {"tcp_srcport", "mqtt_msgid", "ip_ttl"}
    assert leaking <= set(features("packets", identity=True))
    assert not leaking & set(features("packets"))


def test_conform_refuses_a_missing_column() -> None:
    """A frame without one of the columns is refused, and the error names the column."""
    with pytest.raises(KeyError, match="frame_in_file"):
        conform(pd.DataFrame({"frame": [1], "file": ["a.pcap"]}), "packets")
