"""The replay: values of a CSV file become part of the plan, and are published at their times."""

from pathlib import Path

import pytest
from tests.sensors.made_companion import plan_with, published_on

from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.companions import with_records
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.plan import FIRST_READING, Plan
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.records import most_per_second, read_records
from coldaisle_contracts.scenario import Scenario, load_scenario
from coldaisle_contracts.site_parameters import load_site

SITE = """
[[devices]]
number = 13
address = 41

[[devices]]
kind = "replay"
address = 100
records = "pump.csv"
"""


def _read(folder: Path, text: str) -> tuple[tuple[float, str], ...]:
    path = folder / "pump.csv"
    path.write_text(text, encoding="utf-8")
    return read_records(path)


@pytest.mark.parametrize(
    "text",
    [
        "offset_s,value\n0,2.50\n60.5,2.41\n60.5,off\n",
        "note,value,time\na,2.50,2020-01-01T12:00:00\n,2.41,2020-01-01T12:01:00.5\n,off,2020-01-01T12:01:00.500\n",
        "\ufefftime , value\r\n2020-01-01T12:00:00Z,2.50\r\n2020-01-01T13:01:00.5+01:00,2.41\r\n2020-01-01 12:01:00.5Z,off\r\n",
    ],
)
def test_times_are_counted_from_the_first_row(tmp_path: Path, text: str) -> None:
    """Offsets stay as they are, times become offsets, values stay texts, and other columns are left alone."""
    assert _read(tmp_path, text) == ((0.0, "2.50"), (60.5, "2.41"), (60.5, "off"))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "row 1 is '': name the column value and one of offset_s and time, each once"),
        ("offset_s,time,value\n", "row 1 is 'offset_s,time,value': name the column value and one of"),
        ("when,value\n0,1\n", "row 1 is 'when,value': name the column value and one of"),
        ("offset_s,value\n", "pump.csv: add a row with a value"),
        ("offset_s,value\n0,1\nsoon,2\n", "row 3: column offset_s is 'soon': give a number of seconds from 0, the one before, to 7,948,800"),
        ("offset_s,value\n-1,1\n", "row 2: column offset_s is '-1': give a number of seconds from 0"),
        ("offset_s,value\nnan,1\n", "row 2: column offset_s is 'nan': give a number"),
        ("offset_s,value\n60,1\n30,2\n", "row 3: column offset_s is '30': give a number of seconds from 60, the one before"),
        ("offset_s,value\n0,1\n60\n", "row 3 is '60': write 2 cells as in the first row"),
        ("offset_s,value\n0,\n", "row 2: column value is '': write a value"),
        (f"offset_s,value\n0,{'9' * 201}\n", "row 2: column value is '999"),
        ("offset_s,value\n0,a\x07b\n", r"row 2: column value is 'a\x07b': write at most 200 characters that can be printed"),
        ("time,value\nnoon,1\n", "row 2: column time is 'noon': write a time such as 2026-03-02T08:30:00"),
        ("time,value\n2020-01-01T12:00Z,1\n2020-01-01T12:01,1\n", "row 3: column time is '2020-01-01T12:01': write all times with an offset from UTC, or none"),
        ('offset_s,value\n0,"1\n', "row 2: write valid CSV (unexpected end of data)"),
        ("offset_s,value\n" + "0,1\n" * 10_001, "row 10002: keep at most 10,000 rows of values, because the plan holds them"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    """File, row, value and remedy are said."""
    with pytest.raises(InputError) as refused:
        _read(tmp_path, text)
    assert sentence in str(refused.value)
    assert str(refused.value).startswith(str(tmp_path / "pump.csv"))
    assert "\n" not in str(refused.value)


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    """The path is relative to the site file."""
    (tmp_path / "site.toml").write_text(SITE, encoding="utf-8")
    with pytest.raises(InputError, match=r"pump\.csv: name a readable CSV file"):
        load_site(tmp_path / "site.toml")


@pytest.mark.parametrize("form", ["site", "scenario", "table"])
def test_the_plan_holds_the_records(tmp_path: Path, form: str) -> None:
    """A plan is read back without the CSV file, whether a site file, a scenario that names it, or a table names the CSV file."""
    _read(tmp_path, "offset_s,value\n0,2.50\n60,2.41\n")
    (tmp_path / "site.toml").write_text(SITE, encoding="utf-8")
    run = 'name = "pump"\nseed = 1\nfirst_day = 2026-03-02\ntime_zone = "UTC"\nduration_h = 1\n'
    files = {
        "site": SITE,
        "scenario": run + 'site = "site.toml"\n',
        "table": run + SITE.replace("[[devices", "[[site.devices"),
    }
    (tmp_path / "run.toml").write_text(files[form], encoding="utf-8")
    plan = build_plan(load_scenario(tmp_path / "run.toml"))
    (tmp_path / "pump.csv").unlink()
    (tmp_path / "plan.json").write_text(plan.model_dump_json(), encoding="utf-8")
    again = Plan.load(tmp_path / "plan.json")
    assert again.digest() == plan.digest()
    assert again.companions["replay-1"].parameters["records"] == ((0.0, "2.50"), (60.0, "2.41"))
    assert build_plan(Scenario.model_validate_json(plan.scenario.model_dump_json())).digest() == plan.digest()


@pytest.mark.parametrize(
    ("records", "sentence"),
    [
        ((), "name a CSV file beside this file, or write a list of pairs"),
        ([], "name a CSV file beside this file, or write a list of pairs"),
        (3, "name a CSV file beside this file, or write a list of pairs"),
        ([[0, "1"]] * 10_001, "write at most 10,000 pairs"),
        ([[0, "1"], [1]], r"pair 2 is \[1\]: write a time in s and a text"),
        ([3], "pair 1 is 3: write a time in s and a text"),
        ([[60, "1"], [30, "1"]], "the time of pair 2 is 30: give a number of seconds from 60"),
        ([["0", "1"]], "the time of pair 1 is '0': give a number of seconds"),
        ([[0, 21.5]], r"the value of pair 1 is 21\.5: write it in quotation marks"),
        ([[0, ""]], "the value of pair 1 is '': write a value"),
    ],
)
def test_wrong_pairs_are_refused(records: object, sentence: str) -> None:
    """Records in a site file keep the rules of a CSV file."""
    with pytest.raises(ValueError, match=sentence):
        plan_with(kind="replay", records=records)


def test_records_are_published_at_their_times() -> None:
    """Time 0 is the first reading of the run; each day has its own records, and what is due before it connects waits."""
    day = 86_400
    times = [0, 0.25, 60, day - 1, day, day + 5, 2 * day + 3]
    plan = plan_with(48.0, kind="replay", records=[[when, f"{when}"] for when in times], qos=1, retain=True)
    first = plan.start_ns + FIRST_READING
    monday, tuesday = published_on(plan, 0), published_on(plan, 1)
    assert [(message.payload, message.at_ns - first) for message in monday] == [
        (b"0", 0), (b"0.25", SECOND // 4), (b"60", 60 * SECOND),
    ]  # fmt: skip
    assert [(message.payload, message.at_ns - first - day * SECOND) for message in tuesday] == [
        (f"{day - 1}".encode(), 0), (f"{day}".encode(), 0), (f"{day + 5}".encode(), 5 * SECOND),
    ]  # fmt: skip
    assert {(message.topic, message.qos, message.retain) for message in monday} == {("replay/1", 1, True)}


def test_a_dense_file_counts_as_such() -> None:
    """What a listener may hear in a slot follows from the densest 10 s."""
    records = (*((when / 10, "1") for when in range(300)), (1000.0, "1"))
    assert most_per_second(records) == 10.0
    dense = plan_with(kind="replay", records=records).companions["replay-1"]
    assert dense.per_second == 10.0


def test_what_is_no_site_is_left_to_its_model(tmp_path: Path) -> None:
    """Content that is not valid otherwise is not looked into for files."""
    for content in ({"devices": 3}, {"devices": [3, {"kind": []}, {"kind": "replay", "records": 3}]}):
        assert with_records(content, tmp_path) is content
