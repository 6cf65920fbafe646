"""tcpdump itself: its start, its rotation by size, its end and its counts."""

import os
import signal
import socket
import threading
import time
from pathlib import Path

import pytest

from coldaisle_capture import tcpdump
from coldaisle_capture.retime import records
from coldaisle_capture.tcpdump import CaptureError, Tcpdump
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import load_scenario
from coldaisle_contracts.shard import Shard
from coldaisle_testbed import namespaces


def test_files_are_ordered_by_number(tmp_path: Path) -> None:
    """The tenth file comes after the second, and files of other names are ignored."""
    names = ["day-1.tcpdump", "day-1.tcpdump1", "day-1.tcpdump2", "day-1.tcpdump10"]
    for name in [*names, "day-10.tcpdump", "other"]:
        (tmp_path / name).touch()
    dump = Tcpdump.__new__(Tcpdump)
    dump.first = tmp_path / names[0]
    assert [path.name for path in dump.files()] == names


@pytest.mark.netns
def test_capture_rotates_and_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full capture file is followed by another; together they hold every counted packet in order of time."""
    monkeypatch.setattr(tcpdump, "ROTATE_MB", 1)
    space = namespaces.create()
    try:
        with namespaces.inside(space):
            dump = Tcpdump("lo", tmp_path / "day-1.tcpdump")
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                for number in range(1_000):
                    sender.sendto(bytes(1_400), ("127.0.0.1", 9))
                    if number % 50 == 0:
                        time.sleep(0.01)
            dump.check()
            tally = dump.stop()
    finally:
        os.close(space)
    times = [at for path in dump.files() for at, _ in records(path)]
    assert len(dump.files()) > 1
    assert (len(times), tally.dropped) == (tally.captured, 0)
    assert tally.captured >= 1_000
    assert times == sorted(times)


@pytest.mark.netns
def test_unknown_interface_is_said_in_tcpdumps_words(tmp_path: Path) -> None:
    """A capture that cannot start raises an error with tcpdump's own message."""
    with pytest.raises(CaptureError, match=r"tcpdump did not start: .*nowhere0"):
        Tcpdump("nowhere0", tmp_path / "x")


@pytest.mark.netns
def test_a_stopped_tcpdump_loses_nothing_that_finds_room(tmp_path: Path) -> None:
    """While tcpdump is stopped, as many full-length frames arrive as its ring can hold; it writes all of them before it ends."""
    room, space = 3_000, namespaces.create()
    try:
        with namespaces.inside(space):
            dump = Tcpdump("lo", tmp_path / "day-1.tcpdump", room)
            os.kill(dump._process.pid, signal.SIGSTOP)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as itself:
                itself.bind(("127.0.0.1", 0))
                for _ in range(room // 2):  # on loopback each frame is captured twice, outgoing and incoming
                    itself.sendto(bytes(1_472), itself.getsockname())
            later = threading.Timer(0.5, os.kill, (dump._process.pid, signal.SIGCONT))
            later.start()  # stop() is called while tcpdump is stopped
            tally = dump.stop()
    finally:
        os.close(space)
    assert tally.dropped == 0
    assert tally.captured >= room // 2


@pytest.mark.netns
def test_a_frame_that_is_cut_ends_the_run(tmp_path: Path) -> None:
    """A frame longer than the snapshot length is refused: the sentence has its number and both lengths."""
    space = namespaces.create()
    try:
        with namespaces.inside(space):
            dump = Tcpdump("lo", tmp_path / "day-1.tcpdump", 100)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.sendto(bytes(3_000), ("127.0.0.1", 9))
            dump.stop()
    finally:
        os.close(space)
    with pytest.raises(CaptureError, match=r"frame 1 has 3042 bytes, of which 1600 were kept"):
        list(records(tmp_path / "day-1.tcpdump"))


def test_the_ring_has_room_for_the_plan() -> None:
    """The ring of a short shard holds every frame that the plan allows, that of a long shard a burst."""
    path = Path(__file__).resolve().parents[2] / "scenarios"
    rooms = {}
    for name in ("hour", "week"):
        plan = build_plan(load_scenario(path / f"{name}.toml"), name)
        rooms[name] = tcpdump.places(plan, Shard(range(1)))
    assert rooms["hour"] > 814 * 1.5
    assert rooms["week"] == tcpdump.BURST
