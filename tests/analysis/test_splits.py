"""Folds keep whole days and episodes on one side, set thresholds on the training side, and keep every attack in a subsample."""

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from coldaisle_analysis.arrays import Labels
from coldaisle_analysis.evaluation.groups import BLOCKS, groups_of
from coldaisle_analysis.evaluation.splits import (
    DAY_FOLDS,
    HELD_ROWS,
    grouped,
    shuffled,
    subsample,
    unseen_kinds,
)


def rows(days: int = 6) -> pd.DataFrame:
    """Return one row per hour, with an episode of three hours on each day but the first."""
    time = pd.date_range("2026-03-02", periods=24 * days, freq="h", tz="UTC")
    frame = pd.DataFrame({"time": time, "day": time.day_of_year - time[0].day_of_year + 1, "episode": ""})
    attacked = time.hour.isin([9, 10, 11]) & (frame["day"] > 1)
    frame.loc[attacked, "episode"] = "e" + frame.loc[attacked, "day"].astype(str)
    return frame


def labels_of(frame: pd.DataFrame) -> Labels:
    """Return 1 for the rows of an episode."""
    return np.asarray(frame["episode"] != "", dtype=np.int8)


def times_of(frame: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Return when each row could be scored, in ns."""
    return np.asarray(frame["time"].astype("int64"), np.int64)


def test_a_day_lies_on_one_side() -> None:
    """No day lies on two sides of a fold or of an inner fold, and each row is tested once."""
    frame = rows()
    name, groups = groups_of(frame)
    folds = list(grouped(groups, labels_of(frame), times_of(frame)))
    assert name == "day"
    assert len(folds) == DAY_FOLDS
    for fold in folds:
        sides = set(groups[fold.train]), set(groups[fold.test])
        assert not sides[0] & sides[1]
        assert len(sides[0] | sides[1]) == 6
        assert len(fold.inner) == 3  # small sets: all three others are held out
        held = [row for inner in fold.inner for row in inner.scored]
        assert len(held) == len(set(held))
        for inner in fold.inner:
            assert not set(groups[inner.fit]) & set(groups[inner.scored])
            assert sorted([*inner.fit, *inner.scored]) == fold.train.tolist()
    assert sorted(np.concatenate([fold.test for fold in folds])) == list(range(len(frame)))


def test_folds_share_what_is_learned_without_both_of_their_test_sets() -> None:
    """If a fold holds out the test set of another, that one holds out the test set of the first, and both fit the same rows."""
    frame = rows()
    _, groups = groups_of(frame)
    folds = list(grouped(groups, labels_of(frame), times_of(frame)))
    learned = [inner.fit.tolist() for fold in folds for inner in fold.inner]
    assert all(learned.count(rows_fitted) == 2 for rows_fitted in learned)
    for fold in folds:
        tested = {
            row
            for other in folds
            for inner in other.inner
            if set(inner.fit).isdisjoint(fold.test)
            for row in inner.scored
        }
        assert set(fold.test.tolist()) <= tested


def test_large_test_sets_are_scored_in_part() -> None:
    """Of test sets with more rows than are needed two are held out, days with attacks first, until there are enough rows."""
    frame = pd.concat([rows()] * 100).sort_values("time", kind="stable").reset_index(drop=True)
    _, groups = groups_of(frame)
    labels = labels_of(frame)
    for fold in grouped(groups, labels, times_of(frame)):
        assert 2 <= len(fold.inner) <= 3
        for inner in fold.inner:
            assert labels[inner.scored].any()
            assert len(inner.scored) < HELD_ROWS + 100 * 24
            assert not set(groups[inner.fit]) & set(groups[inner.scored])


def test_an_episode_over_midnight_follows_its_first_row() -> None:
    """An episode from 22:00 to 02:00 belongs to the day on which it starts."""
    frame = rows(days=2).assign(episode="")
    frame.loc[22:26, "episode"] = "night"
    _, groups = groups_of(frame)
    assert groups[22:27].tolist() == [0] * 5
    assert groups[27] == 1


def test_one_day_is_cut_into_blocks_that_no_episode_straddles() -> None:
    """Within one day blocks of time are held out; an episode across a border stays whole."""
    frame = rows(days=1)
    frame.loc[5:7, "episode"] = "border"
    name, groups = groups_of(frame)
    assert name == "block"
    assert len(set(groups)) == BLOCKS
    assert len(set(groups[5:8])) == 1


def test_attacks_of_one_day_are_cut_in_time() -> None:
    """If the training side has attacks on a single day only, each half of these attacks sets the threshold once."""
    frame = rows(days=3)
    frame.loc[frame["day"] == 2, "episode"] = ""
    frame.loc[30:40, "episode"] = "only"
    frame.loc[frame["day"] == 3, "episode"] = ""
    _, groups = groups_of(frame)
    labels = labels_of(frame)
    fold = next(iter(grouped(groups, labels, times_of(frame))))
    early, late = sorted(fold.inner, key=lambda side: side.scored[0])
    for inner in (early, late):
        assert labels[inner.fit].any()
        assert labels[inner.scored].any()
        assert sorted([*inner.fit, *inner.scored]) == fold.train.tolist()
    assert early.scored.max() < late.scored.min()
    assert set(groups[early.scored]) == set(groups[late.scored]) == {1}


def test_random_folds_share_episodes() -> None:
    """With random folds, every test side has rows of episodes that are also trained on."""
    frame = rows()
    episode = frame["episode"].to_numpy()
    for fold in shuffled(labels_of(frame), seed=1):
        assert (set(episode[fold.train]) & set(episode[fold.test])) - {""}


def test_too_few_attacks_give_no_random_folds() -> None:
    """With a single attack row there are no stratified folds."""
    labels = np.zeros(100, dtype=np.int8)
    labels[3] = 1
    assert list(shuffled(labels, seed=1)) == []


def test_subsampling_keeps_every_attack() -> None:
    """Of 1000 rows with 20 attacks 100 remain, all attacks among them, and the same ones for the same seed."""
    labels = np.zeros(1000, dtype=np.int8)
    labels[::50] = 1
    drawn = subsample(np.arange(1000), labels, 100, seed=3)
    assert len(drawn) == 100
    assert labels[drawn].sum() == 20
    assert drawn.tolist() == subsample(np.arange(1000), labels, 100, seed=3).tolist()


@pytest.mark.parametrize("attacks", [600, 950])
def test_subsampling_many_attacks_keeps_both_classes(attacks: int) -> None:
    """If there are more attacks than rows allowed, the limit holds and normal rows remain."""
    labels = np.zeros(1000, dtype=np.int8)
    labels[:attacks] = 1
    drawn = subsample(np.arange(1000), labels, 200, seed=3)
    assert len(drawn) == 200
    assert 0 < labels[drawn].sum() < 200


def test_a_kind_is_tested_by_what_never_saw_it() -> None:
    """Folds by kind test every row once, and no attack row is of a kind on the training side."""
    frame = rows()
    _, groups = groups_of(frame)
    labels = labels_of(frame)
    kinds = np.where(labels == 1, np.where(frame["day"] % 2 == 0, "even", "odd"), "normal").astype(object)
    by_day = grouped(groups, labels, times_of(frame))
    folds = [part for fold in by_day for part in unseen_kinds(fold, kinds, labels)]
    assert sorted(np.concatenate([fold.test for fold in folds])) == list(range(len(frame)))
    for fold in folds:
        tested = set(kinds[fold.test[labels[fold.test] == 1]])
        assert not tested & set(kinds[fold.train])
        assert all(set(inner.fit) | set(inner.scored) <= set(fold.train) for inner in fold.inner)
