"""A run needs to be root of a user namespace only, so a worker on another machine can be an ordinary user."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.conftest import HOUSE

from coldaisle_contracts.manifest import Manifest

IN_A_USER_NAMESPACE = """
import ctypes, os, sys
NEWUSER = 0x10000000
there, mapped = os.pipe(), os.pipe()
if not os.fork():
    parent = os.getppid()
    os.read(there[0], 1)
    for ids in ("uid_map", "gid_map"):
        with open(f"/proc/{parent}/{ids}", "w") as file:
            file.write("0 0 65536")
    os.write(mapped[1], b"x")
    os._exit(0)
assert ctypes.CDLL(None).unshare(NEWUSER) == 0
os.write(there[1], b"x")
os.read(mapped[0], 1)
os.execv(sys.argv[1], sys.argv[1:])
"""
pytestmark = pytest.mark.netns


def test_root_of_a_user_namespace_plays_the_same_run(hour_run: Path, tmp_path: Path) -> None:
    """Without any right on the machine's own network a run has every episode and the same semantic digest."""
    scenario, out = HOUSE / "scenarios" / "hour.toml", tmp_path / "hour"
    up = [sys.executable, "-m", "coldaisle_testbed", "up", str(scenario), "--no-analysis", "--out", str(out)]
    done = subprocess.run(
        [sys.executable, "-c", IN_A_USER_NAMESPACE, *up],
        capture_output=True,
        text=True,
        timeout=3600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    manifest = Manifest.load(out)
    assert manifest.left_out == ()
    assert manifest.semantic_digest == Manifest.load(hour_run).semantic_digest
