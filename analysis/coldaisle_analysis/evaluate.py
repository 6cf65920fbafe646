"""Every model on every split of every level: the rows of ``models/metrics.json``.

What is learned (imputation, scaling, model, threshold) is learned on the training side of a fold; the rows
of all test sides together are scored once. Identity columns are out, except in the splits named
``…+identity``, which one tree plays to show what they would leak.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from coldaisle_analysis.early import Judged, judged, of_trials
from coldaisle_analysis.levels import Level
from coldaisle_analysis.metrics import Scored, scored_row
from coldaisle_analysis.models import BARS, MODELS, POLICED, WITH_IDENTITY, WITHOUT_KIND
from coldaisle_analysis.models.tuning import tune
from coldaisle_analysis.splits import Fold, grouped, shuffled, unseen_kinds
from coldaisle_analysis.trial import Params, Sight, Trial, attempt, sight, with_identity
from coldaisle_analysis.workers import spread

IDENTITY = "+identity"


@dataclass(frozen=True)
class _Split:
    """A way to divide a level.

    Attributes:
        level: the level.
        name: of the split.
        models: that play it.
        parts: its folds; those of a part differ in the attacks they know, and share a site learned from clean rows.
    """

    level: Level
    name: str
    models: tuple[str, ...]
    parts: tuple[tuple[Fold, ...], ...]

    @property
    def folds(self) -> tuple[Fold, ...]:
        """Return its folds, part by part."""
        return tuple(fold for part in self.parts for fold in part)

    @property
    def cost(self) -> int:
        """Return how long a part takes, beside those of other splits."""
        return len(self.models) * len(self.level.labels)


@dataclass(frozen=True)
class _Played:
    """What the models did on one fold.

    Attributes:
        trials: by model.
        leaking: of the model that was given identity columns, too.
        params: of the models that were tuned.
    """

    trials: dict[str, Trial]
    leaking: dict[str, Trial]
    params: Params


def evaluate(
    levels: list[Level], seed: int, progress: Callable[[str], None], *, tuned: bool = False
) -> list[Scored]:
    """Return a row for every level, split and model; none for a level without attacks.

    Args:
        levels: the levels of a dataset.
        seed: of shuffling, subsampling, models and bootstrap.
        progress: told each split that is played, and how it went.
        tuned: choose the parameters of every model that is told on the training side of each honest fold, see :mod:`models.tuning`.
    """
    splits = [split for level in levels for split in _splits(level, seed)]
    scored: dict[int, list[Scored]] = {}
    for at, played in _play_all(splits, seed, tuned=tuned):
        scored[at] = list(_scored(splits[at], played, seed))
        best = max((one.row for one in scored[at]), key=lambda row: float(row["f1"]))
        said = f"{len(scored[at])} models scored, best {best['model']} with F1 {best['f1']:.3f}"
        progress(f"{splits[at].level.name}, {splits[at].name} split: {said}")
    return [one for at in sorted(scored) for one in scored[at]]


def _splits(level: Level, seed: int) -> Iterator[_Split]:
    """Yield how a level with attacks is divided: whole days, kinds never seen, and at random, where it has enough of each."""
    if not level.labels.any():
        return
    honest, kinds = list(grouped(level.groups, level.labels, level.known_ns)), level.kinds.to_numpy(object)
    told = tuple(name for name, model in MODELS.items() if model.told)
    several = len(np.unique(kinds[level.labels == 1])) > 1
    unseen = (unseen_kinds(fold, kinds, level.labels) for fold in honest if several)
    splits = (
        _Split(level, level.held_out, tuple(MODELS), tuple((fold,) for fold in honest)),
        _Split(level, "kind", (*BARS, WITHOUT_KIND), tuple(unseen)),
        _Split(level, "random", told, tuple((fold,) for fold in shuffled(level.labels, seed))),
    )
    yield from (split for split in splits if split.parts)


def _play_all(splits: Sequence[_Split], seed: int, *, tuned: bool) -> Iterator[tuple[int, list[_Played]]]:
    """Yield what the models did on each fold of a split, by its place, once it is played; what takes longest is played first."""
    order = sorted(
        ((at, number) for at, split in enumerate(splits) for number in range(len(split.parts))),
        key=lambda part: -splits[part[0]].cost,
    )
    lean = [replace(split, level=_lean(split.level)) for split in splits]
    results = spread(_play, [(lean[at], lean[at].parts[number], seed, tuned) for at, number in order])
    done: list[list[list[_Played]]] = [[] for _ in splits]
    for (at, _), result in zip(order, results, strict=True):
        done[at].append(result)
        if len(done[at]) == len(splits[at].parts):
            yield at, [one for part in done[at] for one in part]


def _lean(level: Level) -> Level:
    """Return a level without what no model is given: it travels to another process."""
    return replace(level, cases={}, kinds=level.kinds[:0])


def _play(split: _Split, part: Sequence[Fold], seed: int, tuned: bool) -> list[_Played]:
    """Return what the models of a split do on the folds of a part."""
    level, kind = split.level, split.name == "kind"
    clean = part[0].train[level.labels[part[0].train] == 0] if kind else None
    seen, found = sight(level, part[0], clean), []
    for fold in part:
        given = replace(seen, fold=fold)
        params = _tuned(split, given, seed) if tuned and split.name == level.held_out else {}
        trials = attempt(split.models, given, level.labels, seed, params)
        leaking = (
            {} if kind else attempt([WITH_IDENTITY], with_identity(given, level), level.labels, seed, params)
        )
        found.append(_Played(trials, leaking, params))
    return found


def _tuned(split: _Split, seen: Sight, seed: int) -> Params:
    """Return the parameters of the models, chosen on a fold's training side; empty where the defaults are kept."""
    level, columns = split.level, seen.of(np.arange(len(split.level.labels)))
    return {
        name: tune(MODELS[name], columns, seen.names, level.labels, level.together, seen.fold.train, seed)
        for name in split.models
    }


def _scored(split: _Split, played: Sequence[_Played], seed: int) -> Iterator[Scored]:
    """Yield what each model scores on a split, and the one that saw identity columns."""
    benches = judged(split.level, split.folds) if split.name != "random" else ()
    for name in split.models:
        trials, params = [one.trials[name] for one in played], [one.params.get(name, {}) for one in played]
        yield _score(split, split.name, name, trials, params, benches, seed)
    if all(one.leaking for one in played):
        leaking = [one.leaking[WITH_IDENTITY] for one in played]
        yield _score(split, f"{split.name}{IDENTITY}", WITH_IDENTITY, leaking, [], benches, seed)


def _score(
    split: _Split,
    name: str,
    model: str,
    trials: Sequence[Trial],
    params: Sequence[Any],
    benches: tuple[Judged, ...],
    seed: int,
) -> Scored:
    """Return what one model scores on one split, given what it did on each fold."""
    level, folds = split.level, split.folds
    tested = np.zeros(len(level.labels), np.bool_)
    alarms, score = np.zeros_like(tested), np.zeros(len(tested))
    for fold, trial in zip(folds, trials, strict=True):
        rows = fold.test
        score[rows], alarms[rows], tested[rows] = trial.score, trial.score >= trial.threshold, True
    policed = name == level.held_out and model in POLICED
    early = of_trials(level, benches, folds, trials, policies=policed)
    first = next(iter(early.values()), None)
    told = {
        **(first["threshold"] if first else {}),
        "early": early,
        "fit_s": float(np.mean([trial.fit_s for trial in trials])),
        "predict_s": float(np.mean([trial.predict_s for trial in trials])),
        "folds": len(trials),
        "train_rows": int(np.mean([trial.train_rows for trial in trials])),
        "thresholds": [trial.threshold for trial in trials],
        **({"params": [repr(own) for own in params]} if any(params) else {}),
    }
    return scored_row(level, name, model, score, alarms, tested, seed, told)
