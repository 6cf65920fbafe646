"""Chains of attacks in the dataset, in the metrics and in the descriptions of a run."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.analysis import made_dataset

from coldaisle_analysis import dataset
from coldaisle_analysis.columns import CHAINED, LEVELS, columns_of_run, markdown, names
from coldaisle_analysis.dataset import Dataset
from coldaisle_analysis.dataset.chains import steps_of, with_steps
from coldaisle_analysis.earliness.chains import Chains, earliness_per_chain
from coldaisle_analysis.evaluation.evaluate import evaluate
from coldaisle_analysis.evaluation.levels import prepare
from coldaisle_analysis.metadata.croissant import record_set
from coldaisle_analysis.report import chains, page
from coldaisle_analysis.report.statistics import describe
from coldaisle_analysis.report.subject import Subject
from coldaisle_analysis.report.told import happened
from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import load_scenario
from coldaisle_testbed.show import picture, timeline

HOUSE = Path(__file__).parents[2]
STEPS = {"e01": ("slow", 1), "e03": ("slow", 2)}


@pytest.fixture(scope="module")
def chained() -> Dataset:
    """A dataset made by hand whose first and third episode are the steps of a chain."""
    made = made_dataset.make(days=3, episodes=3)
    packets, messages, readings = (
        with_steps(rows, STEPS) for rows in (made.packets, made.messages, made.readings)
    )
    return Dataset(packets, messages, readings, steps=STEPS)


def test_document_shows_the_columns() -> None:
    """docs/dataset.md has the table, and no level has columns of these names without a chain."""
    assert f"\n\n{markdown('packets', CHAINED)}\n" in (HOUSE / "docs" / "dataset.md").read_text(
        encoding="utf-8"
    )
    for level in LEVELS:
        with_chain = [column.name for column in columns_of_run(level, chained=True)]
        assert with_chain == [*names(level), "chain", "step"]
        assert [column.name for column in columns_of_run(level, chained=False)] == names(level)


def test_rows_have_the_step_of_their_episode(chained: Dataset) -> None:
    """Every level has it, aggregates too; a row of another episode, or of none, has no step."""
    for rows in chained.levels().values():
        assert steps_of(rows) == STEPS
        assert rows.loc[~rows["episode"].isin(list(STEPS)), "step"].isna().all()
        assert str(rows["step"].dtype) == "Int8"


def test_steps_survive_the_files(chained: Dataset, tmp_path: Path) -> None:
    """What was written is read again, with the steps for flows and windows; without a chain there are no columns."""
    dataset.write(chained, tmp_path / "dataset")
    again = dataset.load(tmp_path / "dataset")
    assert again.steps == STEPS
    pd.testing.assert_frame_equal(again.readings, chained.readings)
    plain = made_dataset.make(days=1, episodes=1)
    assert (with_steps(plain.packets, {}) is plain.packets, steps_of(plain.packets)) == (True, {})


def _chains(step: list[int], known_s: list[float]) -> Chains:
    rows = len(step)
    return Chains(
        ("slow",),
        np.where(np.array(step) > 0, 0, -1).astype(np.int64),
        np.array(step, np.int64),
        np.arange(rows, dtype=np.int64) * 10 * SECOND,
        (np.array(known_s) * SECOND).astype(np.int64),
    )


@pytest.mark.parametrize(
    ("alarms", "expected"),
    [
        ([1, 1, 0, 0, 0], (2, 1, 1.0, 0.0)),  # at once; the alarm before it belongs to nothing
        ([1, 0, 0, 1, 1], (2, 1, 2.0, 15.0)),  # the row known first counts, not the first of the file
        ([0, 0, 1, 0, 1], (2, 2, 1.0, 10.0)),
        ([1, 0, 0, 0, 0], (2, 0, np.nan, np.nan)),
    ],
)
def test_a_chain_is_scored_as_one_incident(alarms: list[int], expected: tuple[float, ...]) -> None:
    """Step and time of the first alarm count from the chain's first attack row; other alarms do not count."""
    found = earliness_per_chain(
        _chains([0, 1, 1, 2, 2], [0, 10, 20, 40, 25]), np.array([0, 1, 1, 1, 1], np.bool_), np.array(alarms, np.bool_)
    )["slow"]  # fmt: skip
    values = found["steps"], found["steps_caught"], found["step"], found["seconds"]
    np.testing.assert_equal(values, expected)
    assert found["lasts_s"] == 30


def test_a_chain_without_a_tested_attack_is_left_out() -> None:
    """Nothing is said of a chain of which no row was tested."""
    none = np.zeros(2, np.bool_)
    assert earliness_per_chain(_chains([1, 2], [0, 1]), none, ~none) == {}


def test_metrics_and_report_have_the_chain(chained: Dataset, tmp_path: Path) -> None:
    """Budgets and policies say when the chain is detected, the report has a row for best model and rule."""
    scored = evaluate([prepare(chained.readings, "readings")], 1, lambda _: None)
    by_day = [result.row for result in scored if result.row["split"] == "day"]
    for row in by_day:
        found = row["early"]["unit"]["1 a day"]["chains"]["slow"]
        assert found["steps"] == 2
        assert found["lasts_s"] == 2 * 86_400 + 2400
        assert (found["step"] >= 1) == (found["steps_caught"] > 0)
    assert any(row["early"]["unit"]["1 a day"]["chains"]["slow"]["step"] == 1 for row in by_day)
    rows = chains.rows(scored)
    assert [(row.chain, row.level) for row in rows] == [("slow", "readings")] * 2
    subject = Subject("made", "Made", "Two units.", {}, ("A caveat.",))
    described = describe(chained.packets, chained.readings)
    page.write(subject, chained, described, scored, [], tmp_path / "index.html")
    assert '<h3 id="chains">Chains</h3>' in (tmp_path / "index.html").read_text(encoding="utf-8")
    assert prepare(made_dataset.make(days=1, episodes=1).readings, "readings").chains is None


def test_descriptions_name_the_chain() -> None:
    """Croissant has both columns; timeline, picture and the report's first paragraph name chain and steps."""
    fields = {
        field["name"] for field in record_set("flows", {}, columns_of_run("flows", chained=True))["field"]
    }
    assert fields - {field["name"] for field in record_set("flows", {})["field"]} == {"chain", "step"}
    plan = build_plan(load_scenario(HOUSE / "scenarios" / "chain.toml"))
    assert happened(plan).endswith("4 of the attacks are the steps of the chain break-in.")
    assert list(timeline.chains(plan)) == [
        "chain break-in: 1 port-scan (e01, Mon 00:25), 2 brute-force (e02, Mon 00:40), 3 takeover (e03, Mon 00:55), 4 false-data (e04, Mon 01:30)"
    ]
    assert picture.description(plan, plan.episodes[1]).endswith("\nstep 2 of chain break-in")
