"""Every model on every split of every level: the rows of ``models/metrics.json``.

What is learned (imputation, scaling, model, threshold) is learned on the training side of a fold; the rows
of all test sides together are scored once. Identity columns are out, except in the splits named
``…+identity``, which one tree plays to show what they would leak.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from coldaisle_analysis.early import Judged, judged, of_trials
from coldaisle_analysis.levels import Level
from coldaisle_analysis.metrics import Scored, scored_row
from coldaisle_analysis.models import BARS, MODELS, POLICED, WITH_IDENTITY, WITHOUT_KIND
from coldaisle_analysis.models.tuning import tune
from coldaisle_analysis.splits import Fold, Rows, grouped, shuffled, unseen_kinds
from coldaisle_analysis.trial import Answer, Params, Trial, answers, concluded, sight, with_identity
from coldaisle_analysis.workers import spread

IDENTITY = "+identity"


@dataclass(frozen=True)
class _Split:
    """A way to divide a level.

    Attributes:
        level: the level.
        name: of the split.
        models: that play it.
        parts: its folds; those of a part differ in the attacks they know.
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
    def without_kind(self) -> bool:
        """Return whether its folds leave a kind of attack out: then no identity column is shown, and sites see clean rows alone."""
        return self.name == "kind"


class _Told(NamedTuple):
    """Rows of a level, and what the models say of them; the one that was shown identity columns ends in :data:`IDENTITY`."""

    rows: Rows
    by_model: dict[str, Answer]

    def of(self, model: str, rows: Rows) -> Answer:
        """Return what a model says of some of the rows."""
        answer = self.by_model[model]
        return replace(answer, score=answer.score[np.searchsorted(self.rows, rows)])


@dataclass(frozen=True)
class _Course:
    """What one process does at a time: models learn from rows, more than once where the same site serves.

    Attributes:
        level: the level, without what no model is given.
        models: that take part.
        leaks: whether one of them is shown the identity columns as well.
        site: rows the site is learned from.
        params: of the models that were tuned.
        lessons: rows that are learned from and rows that are scored then, of one fold or of several, by the key of the former.
    """

    level: Level
    models: tuple[str, ...]
    leaks: bool
    site: Rows
    params: Params
    lessons: dict[bytes, tuple[Rows, Rows]]

    @property
    def cost(self) -> int:
        """Return how long it takes, beside others."""
        return len(self.models) * len(self.level.labels) * len(self.lessons)


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
    params = _all_tuned(splits, seed) if tuned else {}
    scored: dict[int, list[Scored]] = {}
    for at, told in _all_told(splits, params, seed):
        scored[at] = list(_scored(splits[at], told, params.get(at), seed))
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


def _all_tuned(splits: Sequence[_Split], seed: int) -> dict[int, list[Params]]:
    """Return by place of the honest splits the parameters of their models, chosen on each fold's training side."""
    honest = {at: split for at, split in enumerate(splits) if split.name == split.level.held_out}
    jobs = [
        (_lean(split.level), split.models, fold.train, seed)
        for split in honest.values()
        for fold in split.folds
    ]
    found = spread(_tuned, jobs)
    return {at: [next(found) for _ in split.folds] for at, split in honest.items()}


def _tuned(level: Level, models: Sequence[str], rows: Rows, seed: int) -> Params:
    """Return by model its parameters, chosen on these rows; empty where the defaults are kept."""
    seen = sight(level, rows)
    columns = seen.of(np.arange(len(level.labels)))
    return {
        name: tune(MODELS[name], columns, seen.names, level.labels, level.together, rows, seed)
        for name in models
    }


def _all_told(
    splits: Sequence[_Split], params: Mapping[int, Sequence[Params]], seed: int
) -> Iterator[tuple[int, dict[bytes, _Told]]]:
    """Yield the place of a split and what its models say, by key of the rows they learned from, once all have; the longest work comes first."""
    courses = [(at, course) for at, split in enumerate(splits) for course in _courses(split, params.get(at))]
    courses.sort(key=lambda each: -each[1].cost)
    left = [sum(at == number for number, _ in courses) for at in range(len(splits))]
    told: list[dict[bytes, _Told]] = [{} for _ in splits]
    for (at, _), found in zip(
        courses, spread(_taught, [(course, seed) for _, course in courses]), strict=True
    ):
        told[at] |= found
        left[at] -= 1
        if not left[at]:
            yield at, told[at]


def _courses(split: _Split, params: Sequence[Params] | None) -> list[_Course]:
    """Return what has to be learned for a split, nothing twice."""
    courses: dict[bytes, _Course] = {}
    level = _lean(split.level)
    for part, own in zip(split.parts, params or [{}] * len(split.parts), strict=True):
        for fold in part:
            for base, (fit, exam) in zip(part[0].sites, fold.sides, strict=True):
                site = base[level.labels[base] == 0] if split.without_kind else base
                course = _Course(level, split.models, not split.without_kind, site, own, {})
                lessons = courses.setdefault(_key(site, own), course).lessons
                _, others = lessons.get(_key(fit, own), (fit, exam))
                lessons[_key(fit, own)] = fit, np.union1d(others, exam)
    return list(courses.values())


def _key(rows: Rows, params: Params) -> bytes:
    """Return what tells these rows, and what was tuned for them, from others."""
    return hashlib.sha256(rows.tobytes() + repr(params).encode()).digest()


def _lean(level: Level) -> Level:
    """Return a level without what no model is given: it travels to another process."""
    return replace(level, cases={}, kinds=level.kinds[:0])


def _taught(course: _Course, seed: int) -> dict[bytes, _Told]:
    """Return what the models say in a course, by key of the rows they learned from."""
    level, models, seen = course.level, course.models, sight(course.level, course.site)
    told = {}
    for key, (fit, exam) in course.lessons.items():
        by_model = answers(models, seen, fit, level.labels, seed, seen.of(exam), course.params)
        if course.leaks:
            shown = with_identity(seen, level)
            leaking = answers([WITH_IDENTITY], shown, fit, level.labels, seed, shown.of(exam), course.params)
            by_model |= {f"{name}{IDENTITY}": answer for name, answer in leaking.items()}
        told[key] = _Told(exam, by_model)
    return told


def _scored(
    split: _Split, told: Mapping[bytes, _Told], params: Sequence[Params] | None, seed: int
) -> Iterator[Scored]:
    """Yield what each model scores on a split, and the one that saw identity columns."""
    benches = judged(split.level, split.folds) if split.name != "random" else ()
    tuned = [
        own for part, own in zip(split.parts, params or [{}] * len(split.parts), strict=True) for _ in part
    ]
    keys = [[_key(fit, own) for fit, _ in fold.sides] for fold, own in zip(split.folds, tuned, strict=True)]

    def trials(name: str) -> list[Trial]:
        found = []
        for fold, own in zip(split.folds, keys, strict=True):
            tested, *inner = (
                told[key].of(name, rows) for key, (_, rows) in zip(own, fold.sides, strict=True)
            )
            found.append(concluded(name.removesuffix(IDENTITY), fold, split.level.labels, tested, inner))
        return found

    for name in split.models:
        yield _score(
            split, split.name, name, trials(name), [own.get(name, {}) for own in tuned], benches, seed
        )
    if not split.without_kind:
        leaking = trials(f"{WITH_IDENTITY}{IDENTITY}")
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
        rows, said = fold.test, trial.tested.score
        score[rows], alarms[rows], tested[rows] = said, said >= trial.threshold, True
    policed = name == level.held_out and model in POLICED
    early = of_trials(level, benches, folds, trials, policies=policed)
    first = next(iter(early.values()), None)
    told = {
        **(first["threshold"] if first else {}),
        "early": early,
        "fit_s": float(np.mean([trial.tested.fit_s for trial in trials])),
        "predict_s": float(np.mean([trial.tested.predict_s for trial in trials])),
        "folds": len(trials),
        "train_rows": int(np.mean([trial.tested.train_rows for trial in trials])),
        "thresholds": [trial.threshold for trial in trials],
        **({"params": [repr(own) for own in params]} if any(params) else {}),
    }
    return scored_row(level, name, model, score, alarms, tested, seed, told)
