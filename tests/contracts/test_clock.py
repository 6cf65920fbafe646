"""Time: the offset file, the clocks and a federate's conversation with the timekeeper."""

import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldaisle_contracts.clock import (
    END,
    OFFSET,
    SECOND,
    SOCKET,
    Federate,
    ManualClock,
    SharedOffset,
    offset_text,
    read_offset,
)
from coldaisle_contracts.errors import FederateError


@given(st.integers(-END, END))
def test_offset_survives_its_file(tmp_path_factory: pytest.TempPathFactory, offset_ns: int) -> None:
    """Any offset, also a negative one, is read back to the nanosecond."""
    path = tmp_path_factory.getbasetemp() / "offset"
    path.write_text(offset_text(offset_ns))
    assert read_offset(path) == offset_ns


@pytest.mark.parametrize(
    ("offset_ns", "text"),
    [
        (0, "+0.000000000s"),
        (1, "+0.000000001s"),
        (-1, "-0.000000001s"),
        (-1_500_000_000, "-1.500000000s"),
        (86_400 * SECOND, "+86400.000000000s"),
    ],
)
def test_offset_is_written_as_libfaketime_reads_it(offset_ns: int, text: str) -> None:
    """The form is +SECONDS.FRACTIONs with nine digits, with the sign also before a zero."""
    assert offset_text(offset_ns) == text
    assert re.fullmatch(r"[+-]\d+\.\d{9}s", text)


@pytest.mark.parametrize(
    ("text", "offset_ns"), [("+5s", 5 * SECOND), ("-0.5s\n", -SECOND // 2), ("+1.25", 1_250_000_000)]
)
def test_shorter_forms_are_read_too(tmp_path: Path, text: str, offset_ns: int) -> None:
    """An offset with fewer digits, a newline or no unit is read, too."""
    path = tmp_path / OFFSET
    path.write_text(text)
    assert read_offset(path) == offset_ns


def test_manual_clock_only_moves_forward() -> None:
    """The clock stands still until it is advanced; a request for a past time changes nothing."""
    clock = ManualClock(5)
    clock.advance(9)
    clock.advance(7)
    assert clock.now_ns() == 9


class Keeper:
    """The timekeeper's side of one conversation.

    Args:
        folder: where its socket is made.
    """

    def __init__(self, folder: Path) -> None:
        self.offset = SharedOffset(folder, makes=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(folder / SOCKET))
        self._listener.listen()
        self._stream = socket.socket()
        self._lines: Iterator[str] = iter(())

    def heard(self) -> object:
        """Return the next message that the federate sent."""
        return json.loads(next(self._lines))

    def accept(self) -> None:
        """Accept the federate's connection."""
        self._stream, _ = self._listener.accept()
        self._lines = self._stream.makefile("r")

    def say(self, text: str) -> None:
        """Send bytes unchanged."""
        self._stream.sendall(text.encode())

    def close(self) -> None:
        """Close the conversation."""
        with suppress(OSError):  # no federate connected, or the conversation is closed
            self._stream.shutdown(socket.SHUT_RDWR)
        self._stream.close()
        self._listener.close()


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[Keeper]:
    """Return a timekeeper in the test's folder."""
    timekeeper = Keeper(tmp_path)
    yield timekeeper
    timekeeper.close()


def test_federate_joins_asks_waits_and_leaves(tmp_path: Path, keeper: Keeper) -> None:
    """A federate joins by name, requests a time, returns the granted time however its bytes arrive, and says when it leaves."""
    federate = Federate(tmp_path, "inrow-13")
    keeper.accept()
    assert keeper.heard() == {"join": "inrow-13"}
    federate.request(7)
    federate.request(9)
    assert (keeper.heard(), keeper.heard()) == ({"advance": 7}, {"advance": 9})
    keeper.say('{"gra')
    threading.Timer(0.05, keeper.say, ['nt": 9}\n{"grant": 11}\n']).start()
    assert (federate.granted(), federate.granted()) == (9, 11)
    federate.leave()
    assert keeper.heard() == {"leave": "inrow-13"}


def test_virtual_time_is_wall_time_and_the_offset(tmp_path: Path, keeper: Keeper) -> None:
    """Wall time is the kernel's, virtual time has the offset in force added, also after it was changed."""
    federate = Federate(tmp_path, "inrow-13")
    keeper.accept()
    for offset_ns in (-3600 * SECOND, 0, 2**61):
        keeper.offset.write(offset_ns)
        now_ns, wall_ns = federate.both_ns()
        assert now_ns - wall_ns == offset_ns
        assert wall_ns == pytest.approx(time.time_ns(), abs=SECOND)
        assert federate.now_ns() - offset_ns == pytest.approx(federate.wall_ns(), abs=SECOND)
    federate.leave()


@given(st.integers(-(2**63), 2**63 - 1))
def test_shared_offset_is_what_was_written(tmp_path_factory: pytest.TempPathFactory, offset_ns: int) -> None:
    """Every program that maps the file reads the number that the timekeeper wrote last."""
    folder = tmp_path_factory.mktemp("offset")
    writer = SharedOffset(folder, makes=True)
    reader = SharedOffset(folder)
    assert reader.read() == 0
    writer.write(offset_ns)
    assert (reader.read(), SharedOffset(folder).read()) == (offset_ns, offset_ns)


def test_a_closed_timekeeper_ends_the_run(tmp_path: Path, keeper: Keeper) -> None:
    """When the timekeeper ends, a waiting federate raises an error and does not wait for ever."""
    federate = Federate(tmp_path, "inrow-13")
    keeper.accept()
    keeper.close()
    with pytest.raises(FederateError, match="timekeeper closed the connection"):
        federate.granted()
    federate.socket.close()
