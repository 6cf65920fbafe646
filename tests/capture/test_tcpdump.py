"""tcpdump itself: started, rotated by size, stopped and asked what it counted."""

import os
import socket
import time
from pathlib import Path

import pytest

from coldaisle_capture import tcpdump
from coldaisle_capture.retime import records
from coldaisle_capture.tcpdump import CaptureError, Tcpdump
from coldaisle_testbed import namespaces


def test_files_are_ordered_by_number(tmp_path: Path) -> None:
    """The tenth file comes after the second, and other files are none of its."""
    names = ["day-1.tcpdump", "day-1.tcpdump1", "day-1.tcpdump2", "day-1.tcpdump10"]
    for name in [*names, "day-10.tcpdump", "other"]:
        (tmp_path / name).touch()
    dump = Tcpdump.__new__(Tcpdump)
    dump.first = tmp_path / names[0]
    assert [path.name for path in dump.files()] == names


@pytest.mark.netns
def test_capture_rotates_and_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Past its size a capture goes on in another file; together they hold what was counted, in order of time."""
    monkeypatch.setattr(tcpdump, "ROTATE_MB", 1)
    space = namespaces.create()
    try:
        with namespaces.inside(space):
            dump = Tcpdump("lo", tmp_path / "day-1.tcpdump")
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                for _ in range(40):
                    sender.sendto(bytes(60_000), ("127.0.0.1", 9))
                    time.sleep(0.01)  # the buffer has few places for frames of that size
            dump.check()
            tally = dump.stop()
    finally:
        os.close(space)
    times = [at for path in dump.files() for at, _ in records(path)]
    assert len(dump.files()) > 1
    assert (len(times), tally.dropped) == (tally.captured, 0)
    assert tally.captured >= 40
    assert times == sorted(times)


@pytest.mark.netns
def test_unknown_interface_is_said_in_tcpdumps_words(tmp_path: Path) -> None:
    """A capture that cannot start ends with what tcpdump said."""
    with pytest.raises(CaptureError, match=r"tcpdump did not start: .*nowhere0"):
        Tcpdump("nowhere0", tmp_path / "x")
