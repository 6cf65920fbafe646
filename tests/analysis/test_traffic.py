"""What goes on around a frame: rates are sums that fade, and a connection is known by its last PUBLISH."""

import numpy as np
import pytest

from coldaisle_analysis.features import traffic
from coldaisle_analysis.features.traffic import COLUMNS, COUNTED, EVERY, FLOWS, Traffic

RNG = np.random.default_rng(5)
COUNT = 700
TIME_NS = 10**18 + np.cumsum(RNG.integers(0, 4 * 10**9, COUNT)).astype(np.int64)
FLOW = RNG.integers(-1, 5, COUNT)
WHAT = {bit: RNG.random(COUNT) < 0.3 for bit in (traffic.ARP, traffic.SYN, traffic.RST)}
WHAT[traffic.PUBLISH] = (RNG.random(COUNT) < 0.2) & (FLOW >= 0)
LATE, RUN = RNG.normal(size=COUNT), RNG.integers(1, 4, COUNT).astype(float)


def followed(rows: slice, follower: Traffic) -> np.ndarray:
    """Return what is said of some frames, shape (frames, columns)."""
    what = {bit: mask[rows] for bit, mask in WHAT.items()}
    said = follower.follow(TIME_NS[rows], FLOW[rows], what, LATE[rows], RUN[rows])
    return np.column_stack([said[name] for name in COLUMNS])


def test_rates_are_sums_that_fade() -> None:
    """Each rate is the sum over the frames counted so far, each faded by its age over the time constant."""
    said = followed(slice(None), Traffic())
    for place, (what, constant_s) in enumerate(COUNTED):
        counts = np.ones(COUNT, bool) if what == EVERY else WHAT[what]
        for at in (0, 1, 99, COUNT - 1):
            age_s = (TIME_NS[at] - TIME_NS[: at + 1]) / 1e9
            expected = float(np.exp(-age_s / constant_s)[counts[: at + 1]].sum())
            assert said[at, len(COLUMNS) - len(COUNTED) + place] == pytest.approx(expected, abs=1e-5)


def test_a_flow_is_known_by_its_last_publish() -> None:
    """Every later frame of the flow says how long ago that was, how late it came and how often its value came."""
    said = followed(slice(None), Traffic())
    for at in range(COUNT):
        own = np.flatnonzero(WHAT[traffic.PUBLISH][: at + 1] & (FLOW[: at + 1] == FLOW[at]))
        if FLOW[at] < 0 or not len(own):
            assert np.isnan(said[at, :3]).all()
        else:
            last = own[-1]
            expected = [(TIME_NS[at] - TIME_NS[last]) / 1e9, LATE[last], RUN[last]]
            assert said[at, :3] == pytest.approx(expected)


def test_pieces_say_what_the_whole_says() -> None:
    """Frame by frame, a few at a time or in one go, the same is said."""
    whole = followed(slice(None), Traffic())
    for step in (1, 37):
        follower = Traffic()
        parts = [followed(slice(at, at + step), follower) for at in range(0, COUNT, step)]
        np.testing.assert_array_equal(np.vstack(parts), whole)


def test_a_flow_that_lost_its_place_is_not_taken_for_another() -> None:
    """A flow that publishes takes the place of one long before it, which then counts as one that never did."""
    follower, nothing = Traffic(), np.zeros(3, bool)
    flow = np.array([1, 1 + FLOWS, 1])
    what = {traffic.PUBLISH: np.array([True, True, False]), traffic.ARP: nothing}
    said = follower.follow(np.array([0, 1, 2]), flow, what, np.zeros(3), np.ones(3))
    assert np.isnan(said["since_publish"]).tolist() == [False, False, True]
