"""Evaluation of a dataset made by hand: each model, split and level has a complete row, and nothing is learned from test rows."""

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
from coldaisle_analysis.arrays import Rows
from coldaisle_analysis.detection.training import train
from coldaisle_analysis.evaluation import folds, metrics
from coldaisle_analysis.evaluation.evaluate import _summary, begin, evaluate
from coldaisle_analysis.evaluation.folds import evaluate_fold, model_inputs
from coldaisle_analysis.evaluation.levels import Level, prepare
from coldaisle_analysis.evaluation.metrics import Scored
from coldaisle_analysis.evaluation.splits import grouped
from coldaisle_analysis.models import BASELINES, MODELS, WITHOUT_KIND

PROMISED = {"model", "level", "split", "precision", "recall", "f1", "fit_s"}
EARLY = {"erde_5", "erde_50", "f_latency", "seconds_to_detect", "incidents_per_day"}
"""Metrics of rows whose tests contain whole cases, unlike those of random folds."""


def levels_of(days: float = 3, episodes: int = 3) -> list[Level]:
    """Return both levels of a dataset made by hand."""
    dataset = made_dataset.make(days, episodes)
    return [prepare(getattr(dataset, name), name) for name in columns.LEARNED]


@pytest.fixture(scope="module")
def scored() -> list[Scored]:
    """Return the evaluation of three days with one episode each."""
    return evaluate(levels_of(), 1, lambda _: None)


def test_every_model_level_and_split_has_a_row(scored: list[Scored]) -> None:
    """Every model has a row on the grouped split, supervised ones on random folds, and the tree also with identity columns."""
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


def test_the_line_of_a_split_leaves_the_leaking_model_out(scored: list[Scored]) -> None:
    """The line on a split counts models and baselines separately, and a model with identity columns is never the best."""
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
    """The file is a JSON list without NaN; each row has the promised keys, the bounds, and intervals around the scores."""
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
    """A shift of ten standard deviations is caught with high F1, ERDE near its bound, at the end of the first slot."""
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
    """The dummy knows only the base rate: its recall is 1, and its precision is the base rate."""
    row = next(
        result.row for result in scored if result.row["model"] == "dummy" and result.row["split"] == "day"
    )
    assert row["recall"] == 1.0
    assert row["precision"] == pytest.approx(row["attack_rows"] / row["rows"])


def test_evaluation_repeats() -> None:
    """The same seed gives the same scores, in whatever order the processes end."""
    first, second = (evaluate(levels_of(2, 2)[1:], 5, lambda _: None) for _ in range(2))
    for result, other in zip(first, second, strict=True):
        same = {key: value for key, value in result.row.items() if not key.endswith("_s")}
        again = {key: value for key, value in other.row.items() if not key.endswith("_s")}
        assert json.dumps(same) == json.dumps(again)


def test_one_day_is_held_out_in_blocks() -> None:
    """Within one day the grouped split is called ``block`` and has scores; with one kind of attack no kind is left out."""
    splits = {result.row["split"] for result in evaluate(levels_of(1, 1)[1:], 1, lambda _: None)}
    assert splits == {"block", "block+identity", "random", "random+identity"}


def test_without_attacks_nothing_is_scored() -> None:
    """A clean dataset gives no rows and no error."""
    assert evaluate(levels_of(2, 0), 1, lambda _: None) == []


def test_labels_of_a_test_day_do_not_reach_its_scores() -> None:
    """If every label of the test day is inverted, neither its scores nor the threshold change."""
    level = levels_of(4, 4)[1]
    fold = next(iter(grouped(level.groups, level.labels, level.known_ns)))
    labels = level.labels.copy()
    labels[fold.test] = 1 - labels[fold.test]
    turned, inputs = replace(level, labels=labels), model_inputs(level, fold.train)
    for name in MODELS:
        plain, blind = (evaluate_fold([name], data, fold, inputs, 1)[name] for data in (level, turned))
        assert plain.tested.score.tolist() == blind.tested.score.tolist()
        assert plain.threshold == blind.threshold


def test_detectors_take_over_predictions_of_the_evaluation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Models fitted on all days but some are not fitted again for a detector's policies, which stay the same."""
    level, learned = levels_of(4, 4)[0], list[int]()
    known = begin([level], 1)(lambda _: None).held_out["packets"]
    fits = folds.model_inputs

    def counted(level: Level, rows: Rows) -> folds.ModelInputs:
        learned.append(len(rows))
        return fits(level, rows)

    monkeypatch.setattr(folds, "model_inputs", counted)
    names = ["rule", "random_forest"]
    alone = train(level, names, 1, {})
    assert learned
    learned.clear()
    taken = train(level, names, 1, {}, known)
    assert learned == []
    assert {name: found.policies for name, found in alone.items()} == {
        name: found.policies for name, found in taken.items()
    }


def test_identity_columns_stay_out_of_the_features() -> None:
    """No feature of a model is an identity, time or label column."""
    for name in columns.LEARNED:
        assert not set(columns.features(name)) & set(columns.names(name, "identity", "time", "label", "meta"))


def test_missing_values_become_null(scored: list[Scored], tmp_path: Path) -> None:
    """NaN becomes null at any depth, and the file conforms to its schema."""
    odd = deepcopy(scored)
    first = next(iter(odd[0].row["early"].values()))["threshold"]
    first["erde_5"], first["erde_5_bounds"] = nan, [nan, 1.0]
    metrics.write(odd, tmp_path / "metrics.json")
    rows = json.loads((tmp_path / "metrics.json").read_text())
    first = next(iter(rows[0]["early"].values()))["threshold"]
    assert (first["erde_5"], first["erde_5_bounds"]) == (None, [None, 1.0])
    schema = json.loads((SCHEMAS / "metrics.json").read_text(encoding="utf-8"))
    assert Draft202012Validator(schema).is_valid(rows)
