"""Tables from elsewhere: columns found by their usual names, times by their digits, and clear words where there is no sense."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from coldaisle_analysis.audit import Status, examine, tables, terminal
from coldaisle_contracts.errors import InputError

TIMES = pd.to_datetime(
    ["2026-03-02T00:00:01Z", "2026-03-02T00:00:02.5Z", "2026-03-03T00:00:00Z"], format="ISO8601"
).as_unit("ns")
ROWS = pd.DataFrame(
    {
        "Src IP": ["198.18.0.41", "198.18.0.66", "198.18.0.41"],
        "Dst Port": [1883, 1883, 22],
        "Protocol": [6, 6, 6],
        "Timestamp": TIMES,
        "Flow Duration": [0.1, 0.2, 0.3],
        "Label": ["BENIGN", "DoS", "benign "],
    }
)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv_of_any_separator(separator: str, tmp_path: Path) -> None:
    """Meanings are found whatever case and signs the names have; names that mean no attack are told from the rest."""
    path = tmp_path / "flows.csv"
    ROWS.to_csv(path, sep=separator, index=False)
    subject = tables.load(path, "Label")
    assert subject.label.tolist() == [False, True, False]
    assert subject.kind.tolist() == ["normal", "DoS", "normal"]
    assert subject.meaning == {
        "src": "Src IP",
        "dport": "Dst Port",
        "proto": "Protocol",
        "time": "Timestamp",
    }
    assert subject.features == ["Protocol", "Flow Duration"]
    assert subject.of("time").tolist() == TIMES.tolist()


@pytest.mark.parametrize("per_second", [1, 1_000, 1_000_000, 1_000_000_000])
def test_epochs_by_their_digits(per_second: int, tmp_path: Path) -> None:
    """Seconds, ms, µs and ns since 1970 are told apart by their length."""
    stamps = (TIMES.astype("int64").to_numpy() // (1_000_000_000 // per_second)).astype(np.int64)
    path = tmp_path / "flows.parquet"
    ROWS.assign(Timestamp=stamps).to_parquet(path)
    whole = TIMES.floor("s") if per_second == 1 else TIMES
    assert tables.load(path, "Label").of("time").tolist() == whole.tolist()


def test_numbers_as_labels() -> None:
    """0 and 1 are as good as names, and so are true and false."""
    for labels in ([0, 1, 0], [0.0, 1.0, 0.0], [False, True, False], ["0", "1", ""]):
        assert tables.of_frame(ROWS.assign(Label=labels), "t", "Label").label.tolist() == [
            False,
            True,
            False,
        ]


def test_column_that_names_the_attack() -> None:
    """Beside a label of 0 and 1, a column such as attack_cat gives the kinds and is no feature."""
    frame = ROWS.assign(Label=[0, 1, 1], attack_cat=["-", "scan", "flood"])
    subject = tables.of_frame(frame, "t", "Label")
    assert subject.kind.tolist() == ["normal", "scan", "flood"]
    assert "attack_cat" not in subject.features


def test_label_that_is_not_there(tmp_path: Path) -> None:
    """The columns there are are named."""
    path = tmp_path / "flows.csv"
    ROWS.rename(columns={"Label": "Outcome"}).to_csv(path, index=False)
    with pytest.raises(
        InputError, match="column label: name the label column with --label; there are Src IP"
    ):
        examine.path(path)


def test_time_that_is_none() -> None:
    """A column called time that holds none is refused with its first value."""
    with pytest.raises(InputError, match="column Timestamp is 'soon'"):
        tables.of_frame(ROWS.assign(Timestamp="soon"), "t", "Label")


@pytest.mark.parametrize("name", ["no.csv", "empty.csv", "odd.parquet", "folder"])
def test_file_that_cannot_be_read(name: str, tmp_path: Path) -> None:
    """What is missing, empty, or not of its kind is refused by name."""
    if name == "empty.csv":
        (tmp_path / name).write_text("")
    if name == "odd.parquet":
        (tmp_path / name).write_text("no")
    if name == "folder":
        (tmp_path / name).mkdir()
    with pytest.raises(InputError, match=name):
        examine.path(tmp_path / name)


def test_whole_table_is_audited(tmp_path: Path) -> None:
    """The address of the attacker in a table of 3,000 rows is found by the audit of the file."""
    path = tmp_path / "flows.csv"
    many = pd.concat([ROWS] * 1000, ignore_index=True)
    many.assign(Timestamp=pd.date_range("2026-03-02", periods=len(many), freq="min", tz="UTC")).to_csv(
        path, index=False
    )
    name, results = examine.path(path, "Label")
    (identity,) = (result for result in results if result.check.id == "C3")
    assert (name, identity.status, identity.evidence[0]["column"]) == ("flows.csv", Status.BAD, "Src IP")


def test_values_without_end(tmp_path: Path) -> None:
    """Infinite rates, which flow meters write for flows of no length, are values like others: every check still answers."""
    rows = pd.concat([ROWS] * 40, ignore_index=True)
    rows["Flow Bytes/s"] = np.where(np.arange(len(rows)) % 4, 10.0, np.inf)
    rows["Slope"] = np.where(np.arange(len(rows)) % 5, 1e308, -np.inf)
    rows.to_csv(tmp_path / "flows.csv", index=False)
    _, results = examine.path(tmp_path / "flows.csv", "Label")
    assert sum(result.status is not Status.ABSENT for result in results) > 10
    subject = tables.load(tmp_path / "flows.csv", "Label")
    assert np.isfinite(subject.scaled(np.arange(len(rows)))).all()


@pytest.mark.parametrize("stray", ["", "soon", "0001-01-01", "9999-12-31T23:59:59Z"])
def test_times_that_are_none(tmp_path: Path, stray: str) -> None:
    """A few stray times count as the row before; where they are many, the first is named."""
    rows = pd.concat([ROWS] * 40, ignore_index=True).astype({"Timestamp": "str"})
    rows.loc[7, "Timestamp"] = stray
    rows.to_csv(tmp_path / "flows.csv", index=False)
    subject = tables.load(tmp_path / "flows.csv", "Label")
    assert subject.of("time")[7] == subject.of("time")[6]
    examine.path(tmp_path / "flows.csv", "Label")
    rows.loc[7:20, "Timestamp"] = stray
    rows.to_csv(tmp_path / "flows.csv", index=False)
    with pytest.raises(
        InputError, match=r"column Timestamp.*is no time in 14 of 120 rows, the first of them row 8"
    ):
        tables.load(tmp_path / "flows.csv", "Label")


def test_days_far_apart(tmp_path: Path) -> None:
    """A row from another century takes no more memory than any other."""
    rows = pd.concat([ROWS] * 40, ignore_index=True).astype({"Timestamp": "str"})
    rows.loc[7, "Timestamp"], rows.loc[8, "Timestamp"] = "1960-01-01T00:00:00Z", "2150-01-01T00:00:00Z"
    rows.to_csv(tmp_path / "flows.csv", index=False)
    examine.path(tmp_path / "flows.csv", "Label")


def test_a_column_whose_name_is_markup(tmp_path: Path) -> None:
    """Names of columns and files are printed as they are, whatever a terminal library makes of brackets."""
    rows = pd.concat([ROWS] * 40, ignore_index=True).rename(columns={"Flow Duration": "[/x] [red]a\x1b[2J"})
    rows["[/x] [red]a\x1b[2J"] = np.where(rows["Label"] == "DoS", 5.0, 1.0)
    path = tmp_path / "[bold]flows[].csv"
    rows.to_csv(path, index=False)
    name, results = examine.path(path, "Label")
    console = Console(file=io.StringIO(), width=400)
    console.print(*terminal.tables(name, results), sep="\n", highlight=False)
    text = console.file.getvalue()  # type: ignore[attr-defined]  # it is the one above
    assert "[bold]flows[].csv" in text
    assert "[/x] [red]a\\x1b[2J" in text
    assert "\x1b[2J" not in text


def test_a_table_without_rows(tmp_path: Path) -> None:
    """Nothing to audit is a sentence and no scorecard."""
    ROWS.head(0).to_csv(tmp_path / "flows.csv", index=False)
    with pytest.raises(InputError, match=r"flows\.csv: has no rows"):
        examine.path(tmp_path / "flows.csv", "Label")


def test_a_table_of_one_column(tmp_path: Path) -> None:
    """A header without any separator is one column, whatever letters it is made of."""
    (tmp_path / "one.csv").write_text("label\n1\n0\n")
    assert tables.load(tmp_path / "one.csv").label.tolist() == [True, False]
