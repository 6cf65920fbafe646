"""The command line of the desk: what it refuses, in one sentence each."""

import socket
import sys
from pathlib import Path

import pytest

from coldaisle_testbed import __main__ as entry


def refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """Call the command, and return the one line that it ends with; the exit code is 2."""
    monkeypatch.setattr(sys, "argv", ["coldaisle", "desk", *map(str, arguments)])
    with pytest.raises(SystemExit) as ending:
        entry.main()
    assert ending.value.code == 2
    streams = capsys.readouterr()
    assert streams.err.count("\n") == 1
    return streams.err


def test_a_port_in_use_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The sentence names the port and another way."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        sentence = refused(monkeypatch, capsys, "--runs", tmp_path, "--port", port)
    assert f"--port is {port}: it cannot be used (Address already in use)" in sentence


def test_a_folder_that_is_no_run_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A folder that holds no run, and one that is not there, are named."""
    (tmp_path / "empty").mkdir()
    assert "neither a run nor a campaign" in refused(monkeypatch, capsys, tmp_path / "empty")
    assert "name a folder that exists" in refused(monkeypatch, capsys, "--runs", tmp_path / "none")


def test_options_that_do_not_go_together_are_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], finished: Path
) -> None:
    """A run or a folder of runs; and a run that is shown alone is no place for new ones."""
    assert "not both" in refused(monkeypatch, capsys, finished, "--runs", finished.parent)
    assert "leave out RUN" in refused(monkeypatch, capsys, finished, "--allow-play")


def test_without_the_extra_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A machine without the packages of the extra gets the command that installs them."""
    monkeypatch.setitem(sys.modules, "coldaisle_desk.serve", None)
    monkeypatch.delattr("coldaisle_desk.serve", raising=False)
    assert "pip install 'coldaisle[desk]'" in refused(monkeypatch, capsys, "--runs", tmp_path)
