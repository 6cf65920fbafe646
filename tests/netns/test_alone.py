"""A run of an hour on a shared machine: other users have no access, and tcpdump loses nothing while it is stopped for 3 s."""

import os
import pwd
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from tests.netns.observe import descendants

from coldaisle_analysis.truth import ledger
from coldaisle_contracts.clock import SOCKET
from coldaisle_contracts.journal import read_journal

pytestmark = pytest.mark.netns
HOUSE = Path(__file__).resolve().parents[2]
STOPPED_S = 3.0
"""Time for which tcpdump is stopped, s."""


def as_nobody(attempt: Callable[[], object]) -> str:
    """Return the name of the error that a call raises as the user `nobody`, or an empty text."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(pwd.getpwnam("nobody").pw_gid)
            os.setuid(pwd.getpwnam("nobody").pw_uid)
            attempt()
        except OSError as error:
            os.write(theirs, type(error).__name__.encode())
        finally:
            os._exit(0)
    os.close(theirs)
    output = os.read(ours, 100).decode()
    os.close(ours)
    os.waitpid(child, 0)
    return output


def wait_for(look: Callable[[], list[Path]]) -> Path:
    """Return the first path that exists; it takes seconds."""
    until = time.monotonic() + 300
    while not (paths := look()):
        assert time.monotonic() < until
        time.sleep(0.01)
    return paths[0]


def connect(path: Path) -> None:
    """Connect to a Unix socket as a federate does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.connect(str(path))


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter, unlike those of pytest."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        folder.chmod(0o755)
        for name in ("tmp", "out"):
            (folder / name).mkdir(0o755)
        yield folder


def test_nobody_gets_at_a_run_and_a_stopped_tcpdump_loses_nothing(open_folder: Path) -> None:
    """During a run another user can neither connect to the timekeeper nor read the plan; no frame is lost while tcpdump is stopped for 3 s."""
    out = open_folder / "out" / "run"
    command = [sys.executable, "-m", "coldaisle_testbed", "up", str(HOUSE / "scenarios" / "hour.toml"), "--no-analysis",
               "--out", str(out)]  # fmt: skip
    env = {**os.environ, "TMPDIR": str(open_folder / "tmp")}
    with subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True) as run:
        keeper = wait_for(lambda: list((open_folder / "tmp").glob(f"coldaisle-*/day-1/{SOCKET}")))
        stage = out.with_name(".run")
        journal = stage / "shards" / "day-1" / "journal" / "inrow-13.jsonl"
        wait_for(lambda: [journal] if journal.exists() and journal.stat().st_size else [])
        (dump,) = [pid for pid, name in descendants(run.pid).items() if name == "tcpdump"]
        os.kill(dump, signal.SIGSTOP)
        stopped = time.monotonic()
        assert keeper.is_socket()
        assert (stage / "plan.json").is_file()
        assert as_nobody(lambda: connect(keeper)) == "PermissionError"
        assert as_nobody(lambda: list(keeper.parent.iterdir())) == "PermissionError"
        assert as_nobody((stage / "plan.json").read_bytes) == "PermissionError"
        assert as_nobody(lambda: list(stage.parent.iterdir())) == ""
        time.sleep(max(0.0, stopped + STOPPED_S - time.monotonic()))
        with suppress(ProcessLookupError):
            os.kill(dump, signal.SIGCONT)
        _, output = run.communicate(timeout=300)
    assert run.returncode == 0, output
    assert as_nobody((out / "plan.json").read_bytes) == ""
    assert ledger.check(out) == []
    assert sum(line["kernel_drops"] for line in read_journal(out / "journal" / "capture.jsonl")) == 0
