"""The timekeeper, with federates that are threads, some of which misbehave."""

import itertools
import json
import math
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from coldaisle_contracts.clock import END, OFFSET, SECOND, Federate, SharedOffset, WallClock, read_offset
from coldaisle_contracts.errors import FederateError
from coldaisle_contracts.journal import Journal
from coldaisle_testbed import rest, timekeeper
from coldaisle_testbed.rest import LULL_NS, REST_NS, Outlook
from coldaisle_testbed.sharding import faketime_library
from coldaisle_testbed.timekeeper import LOOKAHEAD_NS, Timekeeper, faketime_env, shard_names

MIDNIGHT = 2_000_000_000 * SECOND
MILLISECOND = SECOND // 1000


@dataclass
class _Network:
    """A network that is as a test says."""

    look: Callable[[], Outlook]
    is_busy: Callable[[], bool]


class _Stage:
    """A timekeeper and the federates it serves, each a thread."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.grants = folder, list[tuple[str, int, float]]()
        self._bodies: dict[str, Callable[[Federate], None]] = {}

    def federate(self, name: str, *times: int) -> None:
        """Add a federate that requests these times, one after the other, then the end."""

        def body(seat: Federate) -> None:
            for to_ns in times:
                seat.request(to_ns)
                granted = seat.granted()
                self.grants.append((name, granted, time.monotonic()))
                assert granted >= to_ns
            seat.advance(END)
            seat.leave()

        self.play(name, body)

    def play(self, name: str, body: Callable[[Federate], None]) -> None:
        """Add a federate that runs ``body`` with its seat."""
        self._bodies[name] = body

    def serve(
        self,
        *,
        virtual: bool = True,
        absent: tuple[str, ...] = (),
        start_ns: int = MIDNIGHT,
        look: Callable[[], Outlook] = lambda: Outlook(math.inf, surely=False),
        is_busy: Callable[[], bool] = lambda: False,
    ) -> None:
        """Let all federates join, and serve until the end."""
        journal = Journal(self.folder / "timeline.jsonl", "day-1")
        names = {*self._bodies, *absent}
        network = _Network(look, is_busy)
        keeper = Timekeeper(self.folder, names, start_ns, journal, virtual=virtual, network=network)
        threads = [
            threading.Thread(target=self._run, args=item, daemon=True) for item in self._bodies.items()
        ]
        for thread in threads:
            thread.start()
        try:
            keeper.serve()
        finally:
            for thread in threads:
                thread.join(60)
            assert not any(thread.is_alive() for thread in threads)

    def _run(self, name: str, body: Callable[[Federate], None]) -> None:
        try:
            body(Federate(self.folder, name))
        except (FederateError, ConnectionError):
            self.grants.append((name, -1, time.monotonic()))

    def offsets(self) -> list[int]:
        """Return every offset that was in force, in order."""
        return [
            json.loads(text)["offset_ns"]
            for text in (self.folder / "timeline.jsonl").read_text().splitlines()
        ]


@pytest.fixture
def stage(tmp_path: Path) -> _Stage:
    """An empty stage in a folder of its own."""
    return _Stage(tmp_path)


def test_time_is_granted_in_order(stage: _Stage) -> None:
    """The federate with the earliest time goes first, in whatever order the requests come."""
    stage.federate("a", MIDNIGHT + 100 * SECOND, MIDNIGHT + 400 * SECOND)
    stage.federate("b", MIDNIGHT + 200 * SECOND, MIDNIGHT + 300 * SECOND)
    stage.serve()
    assert [name for name, _, _ in stage.grants] == ["a", "b", "b", "a"]
    assert [(granted - MIDNIGHT) // SECOND for _, granted, _ in stage.grants] == [100, 200, 300, 400]


def test_offset_only_grows_and_is_journalled(stage: _Stage) -> None:
    """Every jump raises the offset; the file holds the journal's last offset."""
    stage.federate("a", *(MIDNIGHT + hour * 3600 * SECOND for hour in range(1, 6)))
    stage.serve()
    offsets = stage.offsets()
    assert len(offsets) == 6
    assert offsets == sorted(set(offsets))
    assert read_offset(stage.folder / OFFSET) == SharedOffset(stage.folder).read() == offsets[-1]


def test_time_jumps_only_after_rest(stage: _Stage) -> None:
    """Between one grant and the next jump there is enough time for the last delayed ACK."""
    stage.federate("a", *(MIDNIGHT + hour * 3600 * SECOND for hour in range(1, 6)))
    stage.serve()
    pauses = pauses_of(stage)
    assert min(pauses) >= REST_NS / SECOND - 0.002
    assert max(pauses) < 1


def pauses_of(stage: _Stage) -> list[float]:
    """Return the pauses between two jumps of time, in s, as the timekeeper noted them."""
    lines = map(json.loads, (stage.folder / "timeline.jsonl").read_text().splitlines())
    walls = [line["wall_ns"] for line in lines]
    return [(later - earlier) / SECOND for earlier, later in itertools.pairwise(walls[1:])]


def test_time_jumps_after_a_lull_where_everything_is_still(stage: _Stage) -> None:
    """A network that is known to be still needs no rest, only the time that a frame may be on its way."""
    stage.federate("a", *(MIDNIGHT + hour * 3600 * SECOND for hour in range(1, 40)))
    stage.serve(look=lambda: Outlook(0.0, surely=False))
    pauses = pauses_of(stage)
    assert min(pauses) >= LULL_NS / SECOND - 0.002
    assert statistics.median(pauses) < REST_NS / SECOND


@pytest.mark.parametrize("surely", [False, True])
def test_time_waits_until_everything_is_still(stage: _Stage, surely: bool) -> None:
    """As long as something is under way time waits; where it is not sure when that is over, the network is looked at again."""
    outlooks: list[float] = []

    def look() -> Outlook:
        last = stage.grants[-1][2] if stage.grants else 0.0
        outlooks.append(max(0.0, last + 0.02 - time.monotonic()))
        return Outlook(outlooks[-1], surely)

    stage.federate("a", *(MIDNIGHT + hour * 3600 * SECOND for hour in range(1, 20)))
    stage.serve(look=look)
    assert min(pauses_of(stage)) >= 0.02
    assert len(outlooks) <= (1 if surely else 2) * 19


def test_what_is_sure_is_so_only_if_nobody_acts(stage: _Stage) -> None:
    """A network that would surely be still is not while a program works, and is looked at again after a federate has asked."""
    looks: list[float] = []

    def look() -> Outlook:
        looks.append(time.monotonic())
        return Outlook(0.01, surely=True)

    stage.federate("a", MIDNIGHT + 3600 * SECOND, MIDNIGHT + 7200 * SECOND)
    stage.serve(look=look, is_busy=lambda: time.monotonic() < looks[0] + 0.2)
    assert stage.grants[0][2] >= looks[0] + 0.2
    assert len(looks) == 2


def test_a_network_that_never_is_still_rests_as_long_as_one_that_is_not_known(stage: _Stage) -> None:
    """Something that stays under way, such as data for a host that is gone, holds time for the rest and no longer."""
    stage.federate("a", *(MIDNIGHT + hour * 3600 * SECOND for hour in range(1, 10)))
    stage.serve(look=lambda: Outlook(0.005, surely=False))
    assert min(pauses_of(stage)) >= REST_NS / SECOND - 0.002
    assert max(pauses_of(stage)) < 1


def test_time_does_not_jump_while_a_program_works(stage: _Stage) -> None:
    """A program that has not acted on a frame yet, because the machine is busy, holds time longer than any rest."""
    began = time.monotonic()
    stage.federate("a", MIDNIGHT + 3600 * SECOND)
    stage.serve(is_busy=lambda: time.monotonic() < began + 0.3)
    assert stage.grants[0][2] >= began + 0.3


def test_a_program_that_never_sleeps_holds_time_for_a_while(
    stage: _Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that is always awake does not act on frames, and cannot stop time."""
    monkeypatch.setattr(rest, "PATIENCE_S", 0.3)
    stage.federate("a", *(MIDNIGHT + hour * 3600 * SECOND for hour in range(1, 4)))
    stage.serve(is_busy=lambda: True)
    assert min(pauses_of(stage)) >= 0.3


def test_short_gap_is_waited_for_where_everything_is_still(stage: _Stage) -> None:
    """A time nearer than the rest is waited for all the same: a unit that waits for an answer relies on it."""
    first = MIDNIGHT + 3600 * SECOND
    stage.federate("a", first, first + 20 * MILLISECOND)
    stage.serve(look=lambda: Outlook(0.0, surely=False))
    (_, granted, early), (_, again, late) = stage.grants
    assert len(stage.offsets()) == 2
    assert late - early == pytest.approx((again - granted) / SECOND, abs=0.05)


def test_short_gap_is_waited_for(stage: _Stage) -> None:
    """A time that is nearer than the rest is waited for: the offset does not change."""
    first = MIDNIGHT + 3600 * SECOND
    stage.federate("a", first, first + 20 * MILLISECOND)
    stage.serve()
    (_, granted, early), (_, again, late) = stage.grants
    assert len(stage.offsets()) == 2
    assert late - early == pytest.approx((again - granted) / SECOND, abs=0.05)


def test_due_federates_close_together_act_at_once_and_later_ones_wait(stage: _Stage) -> None:
    """Two federates within the lookahead go at once; one that is due later waits for their next requests."""
    barrier = threading.Barrier(3)
    busy = threading.Event()

    def acting(name: str, to_ns: int, *, working: bool) -> None:
        def body(seat: Federate) -> None:
            barrier.wait()
            seat.request(to_ns)
            stage.grants.append((name, seat.granted(), time.monotonic()))
            if working:
                busy.wait(0.3)
                stage.grants.append((f"{name} done", 0, time.monotonic()))
            seat.advance(END)
            seat.leave()

        stage.play(name, body)

    start = MIDNIGHT - timekeeper.HEADROOM_NS - SECOND  # all are due as soon as every request is there
    acting("first", start, working=True)
    acting("close", start + LOOKAHEAD_NS // 2, working=False)
    acting("later", start + 5 * LOOKAHEAD_NS, working=False)
    stage.serve()
    order = [name for name, _, _ in stage.grants]
    assert set(order[:2]) == {"first", "close"}
    assert order[2:] == ["first done", "later"]


def test_end_is_granted_when_nobody_wants_anything_else(stage: _Stage) -> None:
    """A federate without events gets the end only after the last event of the others."""
    ended: list[str] = []

    def idle(seat: Federate) -> None:
        seat.advance(END)
        ended.append(stage.grants[-1][0])
        seat.leave()

    stage.play("idle", idle)
    stage.federate("a", MIDNIGHT + 100 * SECOND, MIDNIGHT + 200 * SECOND)
    stage.serve()
    assert ended == ["a"]
    assert len(stage.grants) == 2


def test_dead_federate_ends_the_run_with_its_name(stage: _Stage) -> None:
    """A federate whose connection breaks is named, and the others' requests end with an error."""
    stage.play("inrow-13", lambda seat: seat.socket.close())
    stage.federate("capture")
    with pytest.raises(FederateError, match="inrow-13 died"):
        stage.serve()
    assert [(name, granted) for name, granted, _ in stage.grants] == [("capture", -1)]


def test_hanging_federate_ends_the_run_with_its_name(stage: _Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A federate that makes no new request after a grant is named; one that waits for its grant is not."""
    monkeypatch.setattr(timekeeper, "PATIENCE_S", 0.4)

    def hang(seat: Federate) -> None:
        seat.advance(MIDNIGHT)
        seat.granted()

    stage.play("injector", hang)
    stage.federate("capture")
    with pytest.raises(FederateError, match=r"injector gave no sign of life for 0\.4 s"):
        stage.serve()


def test_missing_federate_ends_the_run_with_its_name(stage: _Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A federate that never joins is named."""
    monkeypatch.setattr(timekeeper, "STARTUP_S", 0.4)
    stage.federate("capture")
    with pytest.raises(FederateError, match=r"inrow-25 did not start within 0\.4 s"):
        stage.serve(absent=("inrow-25",))


def test_many_federates_have_more_time(stage: _Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each federate beyond those of four units adds to the time in which all have to join, and to the patience with each of them."""
    monkeypatch.setattr(timekeeper, "FEW", 1)
    monkeypatch.setattr(timekeeper, "STARTUP_S", 0.1)
    monkeypatch.setattr(timekeeper, "STARTUP_EACH_S", 0.15)
    stage.federate("capture")
    with pytest.raises(FederateError, match=r"inrow-23, inrow-25 did not start within 0\.4 s"):
        stage.serve(absent=("inrow-23", "inrow-25"))


def test_what_the_supervisor_finds_ends_the_run(tmp_path: Path) -> None:
    """The death of a daemon is noticed during the wait for federates."""

    def supervise() -> None:
        raise FederateError("broker", "was killed by SIGKILL")

    journal = Journal(tmp_path / "timeline.jsonl", "day-1")
    keeper = Timekeeper(tmp_path, {"capture"}, MIDNIGHT, journal, supervise=supervise)
    with pytest.raises(FederateError, match="broker was killed by SIGKILL"):
        keeper.serve()


def test_real_time_never_skips(stage: _Stage) -> None:
    """Without virtual time the offset is constant and a gap lasts its real time."""
    stage.federate("a", MIDNIGHT + SECOND // 4, MIDNIGHT + SECOND // 2)
    began = time.monotonic()
    stage.serve(virtual=False)
    assert stage.grants[-1][2] - began >= 0.5
    assert len(stage.offsets()) == 1


def test_shard_has_units_injector_and_capture() -> None:
    """A shard's federates are its units, the injector and the capture."""
    assert shard_names(("inrow-13",)) == {"inrow-13", "injector", "capture"}


def test_programs_read_the_offset_file(tmp_path: Path) -> None:
    """The environment names the offset file and forbids libfaketime to cache it."""
    env = faketime_env(tmp_path, "/lib/faketime.so")
    assert env["LD_PRELOAD"] == "/lib/faketime.so"
    assert env["FAKETIME_TIMESTAMP_FILE"] == str(tmp_path / OFFSET)
    assert env["FAKETIME_NO_CACHE"] == "1"


def test_a_withdrawn_request_holds_time(stage: _Stage) -> None:
    """Time does not jump while a federate that withdrew its request is at work."""
    hour = MIDNIGHT + 3600 * SECOND
    withdrawn, walls = threading.Event(), dict[str, float]()

    def hesitant(seat: Federate) -> None:
        seat.request(2 * hour)
        seat.withdraw()
        withdrawn.set()
        time.sleep(4 * REST_NS / SECOND)
        walls["done"] = time.monotonic()
        seat.advance(2 * hour)
        seat.advance(END)
        seat.leave()

    def other(seat: Federate) -> None:
        withdrawn.wait()
        seat.advance(hour)
        walls["granted"] = time.monotonic()
        seat.advance(END)
        seat.leave()

    stage.play("hesitant", hesitant)
    stage.play("other", other)
    stage.serve()
    assert walls["granted"] > walls["done"]


def test_time_does_not_jump_while_frames_move(stage: _Stage) -> None:
    """Time stands still as long as a federate reports moving frames, and jumps after the last one."""
    lull_s = LULL_NS / SECOND
    moved = list[float]()

    def relay(seat: Federate) -> None:
        seat.request(END)
        for _ in range(60):
            moved.append(time.monotonic())
            seat.stir()
            time.sleep(lull_s / 3)
        seat.granted()
        seat.leave()

    stage.play("relay", relay)
    stage.federate("a", MIDNIGHT + 3600 * SECOND)
    stage.serve()
    ((_, _, granted),) = stage.grants
    unbroken = itertools.takewhile(lambda pair: pair[1] - pair[0] < lull_s, itertools.pairwise(moved))
    assert granted > [moved[0], *(later for _, later in unbroken)][-1]


def test_the_capture_ends_last(tmp_path: Path) -> None:
    """The capture gets the end only after all others have left, however long that takes, so that it records their last frames."""
    stage, left = _Stage(tmp_path), list[str]()

    def slow(name: str, pause_s: float) -> Callable[[Federate], None]:
        def body(seat: Federate) -> None:
            seat.advance(END)
            time.sleep(pause_s)
            left.append(name)
            seat.leave()

        return body

    for name, pause_s in (("capture", 0.0), ("injector", 0.3), ("inrow-13", 0.1)):
        stage.play(name, slow(name, pause_s))
    stage.serve()
    assert left == ["inrow-13", "injector", "capture"]


def test_wall_clock_is_true_under_libfaketime(tmp_path: Path) -> None:
    """In a program under libfaketime the standard clock is an hour behind, and the wall clock is not."""
    (tmp_path / OFFSET).write_text("-3600.0s")
    program = "import time; from coldaisle_contracts.clock import WallClock; print(time.time_ns(), WallClock().now_ns())"
    env = os.environ | faketime_env(tmp_path, faketime_library()) | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", program]
    virtual_ns, wall_ns = map(int, subprocess.check_output(command, env=env, text=True).split())
    assert wall_ns - virtual_ns == pytest.approx(3600 * SECOND, abs=SECOND)
    assert wall_ns == pytest.approx(WallClock().now_ns(), abs=60 * SECOND)
