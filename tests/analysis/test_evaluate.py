"""Evaluation on a dataset made by hand: every model, split and level has a whole row, and nothing is learned from tests."""

import json
from copy import deepcopy
from dataclasses import replace
from math import nan
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from tests.analysis import made_dataset
from tests.analysis.test_schemas import SCHEMAS

from coldaisle_analysis import columns
from coldaisle_analysis.evaluation import metrics
from coldaisle_analysis.evaluation.evaluate import _summary, evaluate
from coldaisle_analysis.evaluation.folds import evaluate_fold, model_inputs
from coldaisle_analysis.evaluation.levels import Level, prepare
from coldaisle_analysis.evaluation.metrics import Scored
from coldaisle_analysis.evaluation.splits import grouped
from coldaisle_analysis.models import BASELINES, MODELS, WITHOUT_KIND

PROMISED = {"model", "level", "split", "precision", "recall", "f1", "fit_s"}
EARLY = {"erde_5", "erde_50", "f_latency", "seconds_to_detect", "incidents_per_day"}
"""Metrics of rows that test whole cases, which random folds do not."""


def levels_of(days: float = 3, episodes: int = 3) -> list[Level]:
    """Return both levels of a dataset made by hand."""
    dataset = made_dataset.make(days, episodes)
    return [prepare(getattr(dataset, name), name) for name in columns.LEARNED]


@pytest.fixture(scope="module")
def scored() -> list[Scored]:
    """Return the evaluation of three days with an episode each."""
    return evaluate(levels_of(), 1, lambda _: None)


def test_every_model_level_and_split_has_a_row(scored: list[Scored]) -> None:
    """Every model on the grouped split of both levels, supervised models on random folds too, and the tree with identity."""
    played = {(result.row["level"], result.row["split"], result.row["model"]) for result in scored}
    expected = {
        (level, split, name)
        for level in columns.LEARNED
        for split in ("day", "random")
        for name, model in MODELS.items()
        if model.supervised or split == "day"
    }
    identity = {
        (level, f"{split}+identity", "decision_tree")
        for level in columns.LEARNED
        for split in ("day", "random")
    }
    unseen = {(level, "kind", name) for level in columns.LEARNED for name in (*BASELINES, WITHOUT_KIND)}
    assert played == expected | identity | unseen
    assert len(scored) == len(played)


def test_a_split_is_told_without_the_model_that_leaks(scored: list[Scored]) -> None:
    """The line of a split counts models and baselines apart, and calls none best that was given identity columns."""
    day = [
        result
        for result in scored
        if result.row["level"] == "readings" and result.row["split"].startswith("day")
    ]
    leaking = [
        replace(result, row={**result.row, "f1": 2.0}) if "+" in result.row["split"] else result
        for result in day
    ]
    best = max(
        (result.row for result in day if "+" not in result.row["split"]), key=lambda row: float(row["f1"])
    )
    assert len(leaking) == len(MODELS) + 1
    assert _summary(leaking) == (
        f"{len(MODELS) - len(BASELINES)} models and {len(BASELINES)} baselines scored, "
        f"best {best['model']} with F1 {best['f1']:.3f}"
    )
    unseen = [
        result for result in scored if (result.row["level"], result.row["split"]) == ("readings", "kind")
    ]
    assert _summary(unseen).startswith("1 model and 2 baselines scored, best ")


def test_metrics_hold_what_is_promised(scored: list[Scored], tmp_path: Path) -> None:
    """The file is a JSON list without NaN; each row has the promised keys, bounds and intervals around the scores."""
    metrics.write(scored, tmp_path / "models" / "metrics.json")
    rows = json.loads((tmp_path / "models" / "metrics.json").read_text())
    for row in rows:
        assert row.keys() >= PROMISED
        if row["split"] in ("day", "kind"):
            assert row.keys() >= EARLY
            best, never = row["erde_5_bounds"]
            assert best < never == pytest.approx(row["positive_cases"] / row["cases"])
        low, high = row["intervals"]["f1"]
        assert 0 <= low <= high <= 1
        assert row["true_positives"] + row["false_negatives"] == row["attack_rows"]


def test_a_plain_attack_is_caught_early(scored: list[Scored]) -> None:
    """A shift of ten standard deviations is caught by day: high F1, ERDE near its bound, at the first slot's end."""
    row = next(
        result.row
        for result in scored
        if (result.row["level"], result.row["split"], result.row["model"])
        == ("readings", "day", "random_forest")
    )
    assert row["f1"] > 0.9
    alarms = next(iter(row["early"].values()))["threshold"]
    assert alarms["erde_5"] == pytest.approx(alarms["erde_5_bounds"][0], abs=0.05)
    assert alarms["seconds_to_detect"] == 300.0


def test_the_dummy_alarms_always(scored: list[Scored]) -> None:
    """The dummy knows the base rate alone: recall 1, precision the base rate."""
    row = next(
        result.row for result in scored if result.row["model"] == "dummy" and result.row["split"] == "day"
    )
    assert row["recall"] == 1.0
    assert row["precision"] == pytest.approx(row["attack_rows"] / row["rows"])


def test_evaluation_repeats() -> None:
    """The same seed gives the same scores, whichever thread came first."""
    first, second = (evaluate(levels_of(2, 2)[1:], 5, lambda _: None) for _ in range(2))
    for result, other in zip(first, second, strict=True):
        same = {key: value for key, value in result.row.items() if not key.endswith("_s")}
        again = {key: value for key, value in other.row.items() if not key.endswith("_s")}
        assert json.dumps(same) == json.dumps(again)


def test_one_day_is_held_out_in_blocks() -> None:
    """Without a second day the grouped split is called block, and still scores; with one kind of attack none can be left out."""
    splits = {result.row["split"] for result in evaluate(levels_of(1, 1)[1:], 1, lambda _: None)}
    assert splits == {"block", "block+identity", "random", "random+identity"}


def test_without_attacks_nothing_is_scored() -> None:
    """A clean dataset has nothing to learn: no rows, no error."""
    assert evaluate(levels_of(2, 0), 1, lambda _: None) == []


def test_labels_of_a_test_day_do_not_reach_its_scores() -> None:
    """Turning every label of the test day changes neither its scores nor the threshold: its truth is never learned."""
    level = levels_of(4, 4)[1]
    fold = next(iter(grouped(level.groups, level.labels, level.known_ns)))
    labels = level.labels.copy()
    labels[fold.test] = 1 - labels[fold.test]
    turned, inputs = replace(level, labels=labels), model_inputs(level, fold.train)
    for name in MODELS:
        plain, blind = (evaluate_fold([name], data, fold, inputs, 1)[name] for data in (level, turned))
        assert plain.tested.score.tolist() == blind.tested.score.tolist()
        assert plain.threshold == blind.threshold


def test_identity_columns_stay_out_of_the_features() -> None:
    """No feature a model sees is an identity, time or label column."""
    for name in columns.LEARNED:
        assert not set(columns.features(name)) & set(columns.names(name, "identity", "time", "label", "meta"))


def test_missing_values_become_null(scored: list[Scored], tmp_path: Path) -> None:
    """NaN is written as null, wherever it stands, and the file keeps to its schema."""
    odd = deepcopy(scored)
    first = next(iter(odd[0].row["early"].values()))["threshold"]
    first["erde_5"], first["erde_5_bounds"] = nan, [nan, 1.0]
    metrics.write(odd, tmp_path / "metrics.json")
    rows = json.loads((tmp_path / "metrics.json").read_text())
    first = next(iter(rows[0]["early"].values()))["threshold"]
    assert (first["erde_5"], first["erde_5_bounds"]) == (None, [None, 1.0])
    schema = json.loads((SCHEMAS / "metrics.json").read_text(encoding="utf-8"))
    assert Draft202012Validator(schema).is_valid(rows)
