"""False alarms are counted as incidents, and policies are chosen within a budget of them."""

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
"""Rows per day of a stream: one every 5 minutes."""
LENGTH = 12
"""Items of a case."""


def make(days: int = 10, streams: int = 2, cases: int = 8) -> tuple[Cases, npt.NDArray[np.int8]]:
    """Return cases and labels: attacks and clean windows by turns, one per day, each of LENGTH rows in order of time."""
    count = days * DAY * streams
    codes = np.tile(np.arange(streams), days * DAY)
    known_ns = np.repeat(np.arange(days * DAY, dtype=np.int64) * 300 * SECOND, streams)
    rows = [np.arange(LENGTH) * streams + (day * DAY + 100) * streams + day % streams for day in range(cases)]
    attacked = np.arange(cases) % 2 == 0
    labels = np.zeros(count, dtype=np.int8)
    labels[np.concatenate([items for items, hit in zip(rows, attacked, strict=True) if hit])] = 1
    all_cases = Cases(
        rows=tuple(rows),
        onset_ns=known_ns[[items[0] for items in rows]],
        attacked=attacked,
        kinds=np.where(attacked, "delay", ""),
        streams=codes,
        order=np.lexsort((known_ns, codes)),
        known_ns=known_ns,
    )
    return all_cases, labels


def evaluated_rows(days: int = 10, streams: int = 2) -> EvaluationSet:
    """Return the evaluation set of these cases; each attack is an episode of its own."""
    cases, labels = make(days, streams)
    return evaluation_set(cases, labels, np.where(labels == 1, np.arange(len(labels)) // DAY, -1))


def noise(evaluated: EvaluationSet, seed: int = 5) -> Floats:
    """Return scores that do not depend on attacks: uniform, below 0.3."""
    return np.random.default_rng(seed).random(len(evaluated.order)) * 0.3


def at(evaluated: EvaluationSet, *alarms: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Return the alarms at (stream, slot of 5 minutes)."""
    alarm = np.zeros(len(evaluated.order), dtype=np.bool_)
    alarm[[slot * 2 + stream for stream, slot in alarms]] = True
    return alarm


def test_alarms_less_than_a_quarter_of_an_hour_apart_are_one_incident() -> None:
    """Slots 0, 2 and 4 (10 min apart) are one incident, slot 7 (15 min later) is a second one."""
    evaluated = evaluated_rows()
    assert evaluated.incidents(at(evaluated, (0, 0), (0, 2), (0, 4))) == 1
    assert evaluated.incidents(at(evaluated, (0, 0), (0, 2), (0, 4), (0, 7))) == 2


def test_each_stream_has_incidents_of_its_own() -> None:
    """Alarms of two streams at the same time are two incidents."""
    evaluated = evaluated_rows()
    assert evaluated.incidents(at(evaluated, (0, 0), (1, 0), (1, 1))) == 2


def test_an_incident_that_goes_on_counts_every_hour() -> None:
    """Alarms in 25 successive slots last two hours and are three incidents; a constant alarm gives 24 per day and stream."""
    evaluated = evaluated_rows()
    assert evaluated.incidents(at(evaluated, *((0, slot) for slot in range(12)))) == 1
    assert evaluated.incidents(at(evaluated, *((0, slot) for slot in range(25)))) == 3
    always = evaluated.per_day(evaluated.incidents(np.ones(len(evaluated.order), dtype=bool)))
    assert always == pytest.approx(48, rel=0.02)


def test_alarms_on_attacks_and_their_consequences_are_not_false() -> None:
    """An alarm on an attack row is true, on another row of its episode neither, and on a row of a benign episode false."""
    cases, labels = make()
    episodes = np.full(len(labels), -1, dtype=np.int64)
    attack = np.flatnonzero(labels == 1)[:LENGTH]
    episodes[attack], episodes[attack[-1] + 2], episodes[1000] = 4, 4, 5
    evaluated = evaluation_set(cases, labels, episodes)
    for row, expected in ((attack[0], 0), (attack[-1] + 2, 0), (1000, 1), (2000, 1)):
        alarm = np.zeros(len(labels), dtype=np.bool_)
        alarm[row] = True
        assert evaluated.incidents(alarm) == expected


def test_only_the_rows_given_are_evaluated() -> None:
    """Of ten days the first five are evaluated, with the cases that lie in them; no other row alarms or counts."""
    cases, labels = make()
    half = np.arange(len(labels)) < len(labels) // 2
    evaluated = evaluation_set(cases, labels, np.where(labels == 1, 0, -1).astype(np.int64), half)
    alarms = evaluated.alarms(Threshold(0.0), np.ones(len(labels)))
    assert evaluated.days == pytest.approx(5, abs=0.01)
    assert len(evaluated.cases.rows) == 5
    assert np.array_equal(alarms, half)
    assert evaluated.incidents(np.ones(len(labels), dtype=bool)) == evaluated.incidents(alarms)


def test_a_policy_follows_each_stream_through_the_frame() -> None:
    """Two streams with alternating rows are evaluated separately: three in a row on one have rows of the other between them."""
    evaluated = evaluated_rows()
    score = np.zeros(len(evaluated.order))
    score[[0, 2, 4]] = 1.0
    assert np.flatnonzero(evaluated.alarms(InARow(0.5, 3), score)).tolist() == [4]


def test_every_family_has_a_grid_from_cautious_to_bold() -> None:
    """Each family has a grid of its own policies; of those that differ in one limit the highest limit comes first."""
    assert set(GRIDS) == set(FAMILIES)
    for family, grid in GRIDS.items():
        assert {policy.family for ladder in grid([0.9, 0.5, 0.1]) for policy in ladder} == {family}
    assert [list(ladder) for ladder in GRIDS["threshold"]([0.9, 0.5])] == [[Threshold(0.9), Threshold(0.5)]]


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("family", FAMILIES)
def test_a_plain_attack_is_found_by_every_family(family: str, objective: str) -> None:
    """If attacks score 0.9 and other rows less than 0.3, each family catches every attack at its first item without an incident.

    For ERDE_50 an alarm at the last of twelve items costs no more than one at the first, so the cautious policy waits.
    """
    evaluated = evaluated_rows()
    score = noise(evaluated)
    score[np.concatenate(evaluated.cases.rows[::2])] = 0.9
    tuned = tune(family, score, evaluated, objective, 1.0)
    outcomes = evaluated.cases.outcomes(evaluated.alarms(tuned.policy, score))
    assert outcomes.caught.sum() == 4
    assert tuned.policy.family == family
    assert tuned.incidents_per_day == 0
    assert outcomes.alarm[outcomes.caught].max() <= (LENGTH if objective == "erde_50" else 1)
    best = {"erde_5": erde(outcomes, 5), "erde_50": erde(outcomes, 50), "f_latency": 1.0}
    assert tuned.value == pytest.approx(best[objective])


def test_weak_signs_in_a_row_are_worth_waiting_for() -> None:
    """If clean rows sometimes score like attacks, no threshold works, but several items in a row do."""
    evaluated = evaluated_rows()
    score = noise(evaluated)
    score[50::97] = 0.8
    score[np.concatenate(evaluated.cases.rows[::2])] = 0.6
    plain = tune("threshold", score, evaluated, "erde_50", 1.0)
    assert evaluated.cases.outcomes(evaluated.alarms(plain.policy, score)).caught.sum() == 0
    for family in ("in a row", "two thresholds", "cusum"):
        tuned = tune(family, score, evaluated, "erde_50", 1.0)
        assert evaluated.cases.outcomes(evaluated.alarms(tuned.policy, score)).caught.sum() == 4
        assert tuned.incidents_per_day <= 1.0


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("budget", [0.0, 0.5, 3.0])
def test_the_budget_is_kept(family: str, budget: float) -> None:
    """On scores that separate little, the chosen policy keeps its budget on the evaluation set, and the choice repeats."""
    evaluated = evaluated_rows()
    score = noise(evaluated)
    score[np.concatenate(evaluated.cases.rows[::2])] += 0.1
    tuned = tune(family, score, evaluated, "erde_5", budget)
    assert (
        evaluated.per_day(evaluated.incidents(evaluated.alarms(tuned.policy, score)))
        == tuned.incidents_per_day
        <= budget
    )
    assert tune(family, score, evaluated, "erde_5", budget) == tuned


def test_without_a_choice_nothing_alarms() -> None:
    """If all scores are equal, no alarm keeps the budget, so the policy never alarms and is scored as such."""
    evaluated = evaluated_rows()
    score = np.full(len(evaluated.order), 0.5)
    for family in FAMILIES:
        tuned = tune(family, score, evaluated, "erde_5", 1.0)
        assert not evaluated.alarms(tuned.policy, score).any()
        assert tuned.incidents_per_day == 0.0
        assert tuned.value == pytest.approx(0.5)


def test_without_a_positive_case_nothing_is_chosen() -> None:
    """On clean training rows no policy can be chosen: it never alarms, and its score is NaN."""
    cases, labels = make(cases=2)
    clean = cases.within(np.zeros(len(labels), dtype=np.bool_))
    evaluated = evaluation_set(
        clean, np.zeros(len(labels), dtype=np.int8), np.full(len(labels), -1, dtype=np.int64)
    )
    tuned = tune("cusum", noise(evaluated), evaluated, "f_latency", 1.0)
    assert tuned.policy == NEVER
    assert math.isnan(tuned.value)


def test_of_equal_policies_the_cautious_one_is_chosen() -> None:
    """If limits from 0.3 to 0.9 give the same result, the highest of the grid is chosen, half way between clean rows and attacks."""
    evaluated = evaluated_rows()
    score = noise(evaluated)
    score[np.concatenate(evaluated.cases.rows[::2])] = 0.9
    highest = score[score < 0.9].max()
    assert tune("threshold", score, evaluated, "erde_5", 1.0).policy == Threshold((highest + 0.9) / 2)


@pytest.mark.parametrize("budget", [0.0, 1 / 7, 1.0, 5.0])
def test_the_budget_threshold_is_the_lowest_that_keeps_it(budget: float) -> None:
    """The threshold keeps the budget, and the next lower score of a clean row does not."""
    evaluated = evaluated_rows()
    score = noise(evaluated)
    limit = budget_threshold(score, evaluated, budget)
    clean = score[evaluated.order[evaluated.false]]
    below = float(clean[clean < limit].max())
    assert evaluated.per_day(evaluated.incidents(score >= limit)) <= budget
    assert evaluated.per_day(evaluated.incidents(score >= below)) > budget


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("family", ["threshold", "in a row"])
def test_tuning_is_never_worse_than_the_budget_threshold(family: str, objective: str) -> None:
    """On scores without a clear limit, the tuned policy costs no more than the lowest threshold within the same budget."""
    evaluated = evaluated_rows()
    for seed in range(5):
        score = noise(evaluated, seed)
        score[np.concatenate(evaluated.cases.rows[::2])] += 0.15
        limit = Threshold(budget_threshold(score, evaluated, 2.0))
        cost = OBJECTIVES[objective]
        tuned = tune(family, score, evaluated, objective, 2.0).policy
        plain, chosen = (
            cost(evaluated.cases.outcomes(evaluated.alarms(policy, score))) for policy in (limit, tuned)
        )
        assert chosen <= plain + 1e-12


def test_a_budget_without_end_lets_everything_alarm() -> None:
    """If an alarm at every row keeps the budget, the threshold is 0."""
    evaluated = evaluated_rows()
    assert budget_threshold(noise(evaluated), evaluated, 1e9) == 0.0


def test_the_simplest_of_those_that_are_hardly_worse_is_taken() -> None:
    """A slightly better family is not preferred to a simpler one; a much better one is."""
    evaluated = evaluated_rows()
    share = float(evaluated.cases.attacked.mean())
    plain, better, best = (
        Tuned(Threshold(limit), value * share, 0.0)
        for limit, value in ((0.1, 0.50), (0.2, 0.49), (0.3, 0.40))
    )
    assert simplest([plain, better], evaluated) == plain
    assert simplest([plain, better, best], evaluated) == best


def test_several_budgets_give_what_each_gives_alone() -> None:
    """For several budgets at once, each choice keeps its budget, and a larger budget never costs more on the same rows."""
    evaluated = evaluated_rows()
    score = noise(evaluated)
    score[np.concatenate(evaluated.cases.rows[::2])] += 0.15
    budgets = [0.0, 0.5, 3.0]
    tuned = tune_all(list(FAMILIES), score, evaluated, "erde_5", budgets)
    for budget, families in zip(budgets, tuned, strict=True):
        assert all(choice.incidents_per_day <= budget for choice in families)
    for less, more in pairwise(tuned):
        assert all(b.value <= a.value for a, b in zip(less, more, strict=True))
