"""Tests on other runs: models are trained on one run and tested on others, with one row per model, level and seed."""

from pathlib import Path

import pytest
from tests.analysis import made_dataset
from tests.analysis.made_manifest import made_manifest

from coldaisle_analysis import columns
from coldaisle_analysis.evaluation import other_runs
from coldaisle_analysis.evaluation.levels import Level, prepare
from coldaisle_analysis.models import MODELS
from coldaisle_contracts.errors import InputError


def levels_of(seed: int) -> list[Level]:
    """Return both levels of a dataset made by hand."""
    dataset = made_dataset.make(2, 2, seed)
    return [prepare(getattr(dataset, name), name) for name in columns.LEARNED]


def test_every_model_is_tried_on_every_week(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is one row per model, level and other run, with the seed of that run; a plain attack is caught there."""
    monkeypatch.setattr(other_runs, "MODELS", {name: MODELS[name] for name in ("rule", "random_forest")})
    scored = other_runs.evaluate(levels_of(1), {2: levels_of(2), 3: levels_of(3)}, 1, lambda _: None)
    keys = {(result.row["model"], result.row["level"], result.row["seed"]) for result in scored}
    assert keys == {
        (model, level, seed)
        for model in ("rule", "random_forest")
        for level in columns.LEARNED
        for seed in (2, 3)
    }
    assert all(result.row["split"] == "week" for result in scored)
    assert all(
        result.row["f1"] > 0.9
        for result in scored
        if result.row["model"] == "random_forest" and result.row["level"] == "readings"
    )
    assert other_runs.evaluate(levels_of(1), {}, 1, lambda _: None) == []


def test_weeks_have_seeds_of_their_own(tmp_path: Path) -> None:
    """A run with the same seed as this one, or as another that was named, is refused."""
    runs = [tmp_path / name for name in ("a", "b")]
    for run in runs:
        run.mkdir()
        made_manifest(run).save(run)
    (seed,) = other_runs.seeds(runs[:1], -1)
    for own_seed, folders in ((seed, runs[:1]), (-1, runs)):
        with pytest.raises(InputError, match="has the seed of another run"):
            other_runs.seeds(folders, own_seed)
