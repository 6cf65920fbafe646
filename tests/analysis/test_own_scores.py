"""ERDE and the other measures for a user's own classifier, from its scores."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from coldaisle_analysis import load_run, score_early
from coldaisle_analysis.columns import Level
from coldaisle_analysis.earliness.erde import erde_bounds, latency_cost
from coldaisle_analysis.earliness.policies import InARow
from coldaisle_contracts.errors import InputError


def truth(run: Path, level: Level) -> npt.NDArray[np.int8]:
    """Return the labels of a level."""
    return np.asarray(load_run(run, level=level).target)


def test_a_perfect_detector_scores_the_lower_bound(made_week: Path) -> None:
    """A detector that alarms on exactly the attack rows has the lower bound of ERDE, F_latency 1, every case and no false alarm."""
    kinds: dict[Level, set[str]] = {"packets": {"connection"}, "readings": {"unit", "sensor"}}
    for level, cases in kinds.items():
        by_case = score_early(made_week, level, truth(made_week, level) == 1)
        assert set(by_case) == cases
        for metrics in by_case.values():
            assert metrics["erde_5"] == pytest.approx(metrics["erde_5_bounds"][0])
            assert (metrics["f_latency"], metrics["precision"], metrics["recall"]) == (1, 1, 1)
            assert metrics["caught_cases"] == metrics["positive_cases"] > 0
            assert metrics["episodes_caught"] == metrics["episodes"] == 6
            assert metrics["incidents_per_day"] == 0


def test_one_that_never_alarms_scores_the_upper_bound(made_week: Path) -> None:
    """A detector without alarms has the share of positive cases as ERDE, no caught case, and no time to detection."""
    metrics = score_early(made_week, "readings", np.zeros(len(truth(made_week, "readings"))))["unit"]
    assert metrics["erde_5"] == metrics["erde_5_bounds"][1] == metrics["positive_cases"] / metrics["cases"]
    assert np.isnan(metrics["seconds_to_detect"])
    assert metrics["caught_cases"] == metrics["incidents_per_day"] == 0


def test_one_that_always_alarms_pays_for_every_clean_window(made_week: Path) -> None:
    """Each attack is caught at its first item, each clean window costs a false alarm, and incidents count every hour."""
    metrics = score_early(made_week, "readings", np.ones(len(truth(made_week, "readings"))))["sensor"]
    share = metrics["positive_cases"] / metrics["cases"]
    assert metrics["erde_5"] == pytest.approx(erde_bounds(share, 5)[0] + (1 - share) * share)
    assert metrics["incidents_per_day"] == pytest.approx(8 * 24, rel=0.02)


def test_the_item_and_the_seconds_of_the_first_alarm_count(made_week: Path) -> None:
    """Alarming at the third reading of a sensor's episode costs lc_5(3), 10 minutes later than at the first."""
    readings = load_run(made_week, level="readings", as_frame=True).frame
    attacked = readings[readings["label"] == 1]
    third = attacked[attacked.groupby(["unit", "sensor", "episode"], observed=True).cumcount() == 2]
    alarms = np.zeros(len(readings), np.bool_)
    alarms[third.index] = True
    metrics = score_early(made_week, "readings", alarms)["sensor"]
    share = metrics["positive_cases"] / metrics["cases"]
    assert metrics["erde_5"] == pytest.approx(share * float(latency_cost(3, 5)))
    assert metrics["seconds_to_detect"] == 3 * 300  # a reading is scored at the end of its slot
    assert {kind["items"] for kind in metrics["per_kind"].values()} == {3}


def test_a_subset_and_its_scores_are_aligned(made_week: Path) -> None:
    """Scores of the test days belong to the rows that ``load_run`` gives for them, as an array or as a column."""
    test = load_run(made_week, level="packets", subset="test", as_frame=True)
    for scores in (test.target, test.target.to_numpy(), test.target.to_numpy().tolist()):
        metrics = score_early(made_week, "packets", scores, subset="test")["connection"]
        assert (metrics["recall"], metrics["episodes"]) == (
            1,
            test.frame["episode"].replace("", pd.NA).nunique(),
        )


def test_a_policy_decides_on_alarms(made_week: Path) -> None:
    """The limit is one half unless another is given, and a policy may need several rows of a stream."""
    scores = 0.4 * truth(made_week, "readings")
    silent, low, patient = (
        score_early(made_week, "readings", scores, policy=policy)["sensor"]
        for policy in (0.5, 0.4, InARow(0.4, 2))
    )
    assert (silent["recall"], low["recall"]) == (0, 1)
    assert patient["per_kind"]["modification"]["items"] == 2


@pytest.mark.parametrize(
    ("level", "subset", "scores", "message"),
    [
        ("flows", "all", [1.0], "level is 'flows': use one of packets, readings"),
        ("packets", "week", [1.0], "subset is 'week': use one of train, test, all"),
        ("readings", "all", [1.0], r"the shape of scores is \(1,\): give one score for each of the 16,128 rows of level"),
        ("readings", "test", np.zeros((4608, 2)), r"scores is \(4608, 2\): .+ subset test, such as predict_proba"),
        ("readings", "all", ["a"], "scores: give a finite number or a boolean for each row .could not convert"),
        ("readings", "test", [0.0] * 7 + [np.nan] * 4601, r"scores\[7\] is nan: give a finite number"),
        ("readings", "test", [np.inf] + [0.0] * 4607, r"scores\[0\] is inf: give a finite number"),
    ],
)  # fmt: skip
def test_scores_that_do_not_fit(
    made_week: Path, level: Level, subset: str, scores: object, message: str
) -> None:
    """Scores that do not fit the rows are refused in a sentence with value and remedy."""
    with pytest.raises(InputError, match=message):
        score_early(made_week, level, scores, subset=subset)  # type: ignore[arg-type]
