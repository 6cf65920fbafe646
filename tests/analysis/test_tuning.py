"""False alarms as an operator counts them, and policies chosen within a budget of them."""

import math
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest

from coldaisle_analysis.earliness.cases import Cases
from coldaisle_analysis.earliness.erde import erde
from coldaisle_analysis.earliness.policies import (
    FAMILIES,
    NEVER,
    OBJECTIVES,
    EvaluationSet,
    InARow,
    Threshold,
    Tuned,
    budget_threshold,
    evaluation_set,
    simplest,
    tune,
    tune_all,
)
from coldaisle_analysis.earliness.policies.tuning import GRIDS
from coldaisle_contracts.clock import SECOND

Floats = npt.NDArray[np.float64]
DAY = 288
"""Rows a day of a stream: one every 5 minutes."""
LENGTH = 12
"""Items of a case."""


def made(days: int = 10, streams: int = 2, cases: int = 8) -> tuple[Cases, npt.NDArray[np.int8]]:
    """Return cases of attacks and clean windows in turn, each LENGTH rows a day apart, and labels; rows in order of time."""
    count = days * DAY * streams
    codes = np.tile(np.arange(streams), days * DAY)
    known = np.repeat(np.arange(days * DAY, dtype=np.int64) * 300 * SECOND, streams)
    rows = [np.arange(LENGTH) * streams + (day * DAY + 100) * streams + day % streams for day in range(cases)]
    attacked = np.arange(cases) % 2 == 0
    labels = np.zeros(count, dtype=np.int8)
    labels[np.concatenate([own for own, hit in zip(rows, attacked, strict=True) if hit])] = 1
    found = Cases(
        rows=tuple(rows),
        onset_ns=known[[own[0] for own in rows]],
        attacked=attacked,
        kinds=np.where(attacked, "delay", ""),
        streams=codes,
        order=np.lexsort((known, codes)),
        known_ns=known,
    )
    return found, labels


def judged(days: int = 10, streams: int = 2) -> EvaluationSet:
    """Return them as a bench: each attack an episode of its own."""
    cases, labels = made(days, streams)
    return evaluation_set(cases, labels, np.where(labels == 1, np.arange(len(labels)) // DAY, -1))


def noise(own: EvaluationSet, seed: int = 5) -> Floats:
    """Return scores that say nothing yet: uniform, below 0.3."""
    return np.random.default_rng(seed).random(len(own.order)) * 0.3


def at(own: EvaluationSet, *alarms: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Return alarms at (stream, slot of 5 minutes)."""
    alarm = np.zeros(len(own.order), dtype=np.bool_)
    alarm[[slot * 2 + stream for stream, slot in alarms]] = True
    return alarm


def test_alarms_less_than_a_quarter_of_an_hour_apart_are_one_incident() -> None:
    """Slots 0, 2 and 4 (10 min apart) are one incident, slot 7 (15 min later) is the second."""
    own = judged()
    assert own.incidents(at(own, (0, 0), (0, 2), (0, 4))) == 1
    assert own.incidents(at(own, (0, 0), (0, 2), (0, 4), (0, 7))) == 2


def test_each_stream_has_incidents_of_its_own() -> None:
    """Alarms of two streams at the same time are two incidents."""
    own = judged()
    assert own.incidents(at(own, (0, 0), (1, 0), (1, 1))) == 2


def test_an_incident_that_goes_on_counts_every_hour() -> None:
    """Alarms in 25 slots in a row last two hours: three looks; a detector that always alarms has 24 a day and stream."""
    own = judged()
    assert own.incidents(at(own, *((0, slot) for slot in range(12)))) == 1
    assert own.incidents(at(own, *((0, slot) for slot in range(25)))) == 3
    always = own.per_day(own.incidents(np.ones(len(own.order), dtype=bool)))
    assert always == pytest.approx(48, rel=0.02)


def test_alarms_on_attacks_and_their_consequences_are_not_false() -> None:
    """An attack row is a hit, a row of its episode that is no attack is neutral, a row of a benign episode is false."""
    cases, labels = made()
    episodes = np.full(len(labels), -1, dtype=np.int64)
    attack = np.flatnonzero(labels == 1)[:LENGTH]
    episodes[attack], episodes[attack[-1] + 2], episodes[1000] = 4, 4, 5
    own = evaluation_set(cases, labels, episodes)
    for row, expected in ((attack[0], 0), (attack[-1] + 2, 0), (1000, 1), (2000, 1)):
        alarm = np.zeros(len(labels), dtype=np.bool_)
        alarm[row] = True
        assert own.incidents(alarm) == expected


def test_only_the_rows_given_are_judged() -> None:
    """Of the first half of ten days five days are left, with the cases that lie there; no other row alarms or counts."""
    cases, labels = made()
    half = np.arange(len(labels)) < len(labels) // 2
    own = evaluation_set(cases, labels, np.where(labels == 1, 0, -1).astype(np.int64), half)
    alarms = own.alarms(Threshold(0.0), np.ones(len(labels)))
    assert own.days == pytest.approx(5, abs=0.01)
    assert len(own.cases.rows) == 5
    assert np.array_equal(alarms, half)
    assert own.incidents(np.ones(len(labels), dtype=bool)) == own.incidents(alarms)


def test_a_policy_follows_each_stream_through_the_frame() -> None:
    """Two streams recorded in turn are judged apart: a row of three on one stream has rows of the other between."""
    own = judged()
    score = np.zeros(len(own.order))
    score[[0, 2, 4]] = 1.0
    assert np.flatnonzero(own.alarms(InARow(0.5, 3), score)).tolist() == [4]


def test_every_family_has_a_grid_from_cautious_to_bold() -> None:
    """Each family has a grid of its own policies; of the same kind the highest limit comes first."""
    assert set(GRIDS) == set(FAMILIES)
    for family, grid in GRIDS.items():
        assert {policy.family for ladder in grid([0.9, 0.5, 0.1]) for policy in ladder} == {family}
    assert [list(ladder) for ladder in GRIDS["threshold"]([0.9, 0.5])] == [[Threshold(0.9), Threshold(0.5)]]


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("family", FAMILIES)
def test_a_plain_attack_is_found_by_every_family(family: str, objective: str) -> None:
    """Where attacks score 0.9 and all else less than 0.3, each family catches all without an incident: at the first item.

    To ERDE_50 an alarm at the last of twelve items is as good as one at the first, so there the cautious choice waits.
    """
    own = judged()
    score = noise(own)
    score[np.concatenate(own.cases.rows[::2])] = 0.9
    found = tune(family, score, own, objective, 1.0)
    outcomes = own.cases.outcomes(own.alarms(found.policy, score))
    assert outcomes.caught.sum() == 4
    assert found.policy.family == family
    assert found.incidents_per_day == 0
    assert outcomes.alarm[outcomes.caught].max() <= (LENGTH if objective == "erde_50" else 1)
    best = {"erde_5": erde(outcomes, 5), "erde_50": erde(outcomes, 50), "f_latency": 1.0}
    assert found.value == pytest.approx(best[objective])


def test_weak_signs_in_a_row_are_worth_waiting_for() -> None:
    """Where clean rows now and then score like attacks, a threshold has no place, but several in a row have."""
    own = judged()
    score = noise(own)
    score[50::97] = 0.8
    score[np.concatenate(own.cases.rows[::2])] = 0.6
    plain = tune("threshold", score, own, "erde_50", 1.0)
    assert own.cases.outcomes(own.alarms(plain.policy, score)).caught.sum() == 0
    for family in ("in a row", "two thresholds", "cusum"):
        found = tune(family, score, own, "erde_50", 1.0)
        assert own.cases.outcomes(own.alarms(found.policy, score)).caught.sum() == 4
        assert found.incidents_per_day <= 1.0


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("budget", [0.0, 0.5, 3.0])
def test_the_budget_is_kept(family: str, budget: float) -> None:
    """On scores that tell little the chosen policy keeps its budget, by the bench's own count, and repeats."""
    own = judged()
    score = noise(own)
    score[np.concatenate(own.cases.rows[::2])] += 0.1
    found = tune(family, score, own, "erde_5", budget)
    assert own.per_day(own.incidents(own.alarms(found.policy, score))) == found.incidents_per_day <= budget
    assert tune(family, score, own, "erde_5", budget) == found


def test_without_a_choice_nothing_alarms() -> None:
    """Scores that are all equal leave no alarm within the budget: the policy alarms at none, and scores as such."""
    own = judged()
    score = np.full(len(own.order), 0.5)
    for family in FAMILIES:
        found = tune(family, score, own, "erde_5", 1.0)
        assert not own.alarms(found.policy, score).any()
        assert found.incidents_per_day == 0.0
        assert found.value == pytest.approx(0.5)


def test_without_a_positive_case_nothing_is_chosen() -> None:
    """Clean training rows teach no policy: it never alarms, and its score is NaN."""
    cases, labels = made(cases=2)
    clean = cases.within(np.zeros(len(labels), dtype=np.bool_))
    own = evaluation_set(
        clean, np.zeros(len(labels), dtype=np.int8), np.full(len(labels), -1, dtype=np.int64)
    )
    found = tune("cusum", noise(own), own, "f_latency", 1.0)
    assert found.policy == NEVER
    assert math.isnan(found.value)


def test_of_equal_policies_the_cautious_one_is_chosen() -> None:
    """Where limits from 0.3 to 0.9 do the same, it is the highest of the grid, half way from the clean rows to the attacks."""
    own = judged()
    score = noise(own)
    score[np.concatenate(own.cases.rows[::2])] = 0.9
    highest = score[score < 0.9].max()
    assert tune("threshold", score, own, "erde_5", 1.0).policy == Threshold((highest + 0.9) / 2)


@pytest.mark.parametrize("budget", [0.0, 1 / 7, 1.0, 5.0])
def test_the_budget_threshold_is_the_lowest_that_keeps_it(budget: float) -> None:
    """It keeps the budget, and the next score below, of a clean row, does not."""
    own = judged()
    score = noise(own)
    limit = budget_threshold(score, own, budget)
    clean = score[own.order[own.false]]
    below = float(clean[clean < limit].max())
    assert own.per_day(own.incidents(score >= limit)) <= budget
    assert own.per_day(own.incidents(score >= below)) > budget


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("family", ["threshold", "in a row"])
def test_tuning_is_never_worse_than_the_budget_threshold(family: str, objective: str) -> None:
    """On scores where nothing is plain, what is tuned costs no more than the lowest threshold within the same budget."""
    own = judged()
    for seed in range(5):
        score = noise(own, seed)
        score[np.concatenate(own.cases.rows[::2])] += 0.15
        limit = Threshold(budget_threshold(score, own, 2.0))
        cost = OBJECTIVES[objective]
        tuned = tune(family, score, own, objective, 2.0).policy
        plain, chosen = (cost(own.cases.outcomes(own.alarms(policy, score))) for policy in (limit, tuned))
        assert chosen <= plain + 1e-12


def test_a_budget_without_end_lets_everything_alarm() -> None:
    """If even all rows keep the budget, the threshold is 0."""
    own = judged()
    assert budget_threshold(noise(own), own, 1e9) == 0.0


def test_the_simplest_of_those_that_are_hardly_worse_is_taken() -> None:
    """A family that promises a little more is no reason for a less simple one; one that promises much more is."""
    own = judged()
    share = float(own.cases.attacked.mean())
    plain, better, best = (
        Tuned(Threshold(limit), value * share, 0.0)
        for limit, value in ((0.1, 0.50), (0.2, 0.49), (0.3, 0.40))
    )
    assert simplest([plain, better], own) == plain
    assert simplest([plain, better, best], own) == best


def test_several_budgets_give_what_each_gives_alone() -> None:
    """Told at once, each budget's choice keeps it, and a larger budget never costs more on the same rows."""
    own = judged()
    score = noise(own)
    score[np.concatenate(own.cases.rows[::2])] += 0.15
    budgets = [0.0, 0.5, 3.0]
    found = tune_all(list(FAMILIES), score, own, "erde_5", budgets)
    for budget, families in zip(budgets, found, strict=True):
        assert all(one.incidents_per_day <= budget for one in families)
    for one, more in pairwise(found):
        assert all(b.value <= a.value for a, b in zip(one, more, strict=True))
