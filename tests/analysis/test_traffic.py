"""Traffic around a frame: rates decay with time, and a flow has the columns of its last PUBLISH."""

import numpy as np
import pytest

from coldaisle_analysis.features import traffic
from coldaisle_analysis.features.traffic import COLUMNS, COUNTED, EVERY, FLOWS, Traffic

RNG = np.random.default_rng(5)
COUNT = 700
TIME_NS = 10**18 + np.cumsum(RNG.integers(0, 4 * 10**9, COUNT)).astype(np.int64)
FLOW = RNG.integers(-1, 5, COUNT)
FLAGS = {bit: RNG.random(COUNT) < 0.3 for bit in (traffic.ARP, traffic.SYN, traffic.RST)}
FLAGS[traffic.PUBLISH] = (RNG.random(COUNT) < 0.2) & (FLOW >= 0)
LATE, RUN = RNG.normal(size=COUNT), RNG.integers(1, 4, COUNT).astype(float)


def followed(rows: slice, follower: Traffic) -> np.ndarray:
    """Return the columns of some frames, shape (frames, columns)."""
    flags = {bit: mask[rows] for bit, mask in FLAGS.items()}
    columns = follower.follow(TIME_NS[rows], FLOW[rows], flags, LATE[rows], RUN[rows])
    return np.column_stack([columns[name] for name in COLUMNS])


def test_rates_are_sums_that_fade() -> None:
    """Each rate is the sum over the counted frames so far, each decayed by its age over the time constant."""
    columns = followed(slice(None), Traffic())
    for place, (flag, constant_s) in enumerate(COUNTED):
        counts = np.ones(COUNT, bool) if flag == EVERY else FLAGS[flag]
        for at in (0, 1, 99, COUNT - 1):
            age_s = (TIME_NS[at] - TIME_NS[: at + 1]) / 1e9
            expected = float(np.exp(-age_s / constant_s)[counts[: at + 1]].sum())
            assert columns[at, len(COLUMNS) - len(COUNTED) + place] == pytest.approx(expected, abs=1e-5)


def test_a_flow_is_known_by_its_last_publish() -> None:
    """Every later frame of the flow has the time since the PUBLISH, its lateness, and the run of its value."""
    columns = followed(slice(None), Traffic())
    for at in range(COUNT):
        published = np.flatnonzero(FLAGS[traffic.PUBLISH][: at + 1] & (FLOW[: at + 1] == FLOW[at]))
        if FLOW[at] < 0 or not len(published):
            assert np.isnan(columns[at, :3]).all()
        else:
            last = published[-1]
            expected = [(TIME_NS[at] - TIME_NS[last]) / 1e9, LATE[last], RUN[last]]
            assert columns[at, :3] == pytest.approx(expected)


def test_pieces_say_what_the_whole_says() -> None:
    """The columns are the same frame by frame, for a few frames at a time, and in one go."""
    whole = followed(slice(None), Traffic())
    for step in (1, 37):
        follower = Traffic()
        parts = [followed(slice(at, at + step), follower) for at in range(0, COUNT, step)]
        np.testing.assert_array_equal(np.vstack(parts), whole)


def test_a_flow_that_lost_its_place_is_not_taken_for_another() -> None:
    """A flow that publishes takes the place of a much older flow, which then counts as one without PUBLISH."""
    follower, nothing = Traffic(), np.zeros(3, bool)
    flow = np.array([1, 1 + FLOWS, 1])
    flags = {traffic.PUBLISH: np.array([True, True, False]), traffic.ARP: nothing}
    columns = follower.follow(np.array([0, 1, 2]), flow, flags, np.zeros(3), np.ones(3))
    assert np.isnan(columns["since_publish"]).tolist() == [False, False, True]
