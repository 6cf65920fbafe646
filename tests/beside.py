"""Tests beside each other: which of them stay together, which begin first, and what several processes of pytest make only once.

With pytest-xdist (`-n 2`, as `./coldaisle test` calls it) each process, a worker, collects all tests and runs some of them.
"""

import fcntl
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typing_extensions import override
from xdist.scheduler import LoadScopeScheduling

CONTAINERS = ("tests/compose/", "tests/testbed/test_live_run.py")
"""Folder and file of the tests of real containers: they share the machine's one Docker Engine, and some check that nobody else uses it."""
FIRST = (*CONTAINERS, "tests/netns/", "tests/analysis/", "tests/testbed/", "tests/desk/")
"""Folders and a file whose tests take longest, in this order: what is short comes last, so that all workers end at about the same time."""


def group_of(nodeid: str) -> str:
    """Return the group of a test; the tests of a group run in one process: those of a file, and all in containers."""
    return CONTAINERS[0] if nodeid.startswith(CONTAINERS) else nodeid.partition("::")[0]


def rank_of(nodeid: str) -> int:
    """Return the place of a test's folder or file in :data:`FIRST`, or a greater number."""
    return next((place for place, folder in enumerate(FIRST) if nodeid.startswith(folder)), len(FIRST))


class Together(LoadScopeScheduling):  # type: ignore[misc] # xdist ships no types
    """Gives a worker a whole group of tests, because they share what the fixtures of their file make."""

    @override
    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


def is_worker(config: pytest.Config) -> bool:
    """Return whether this process runs tests for another process of pytest."""
    return hasattr(config, "workerinput")


class Shared:
    """What is made once in a session of pytest, however many workers it has: the first that asks makes it, others wait. It is read only.

    Args:
        folder: a folder that all workers of the session know.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def once(self, name: str, make: Callable[[Path], Path]) -> Path:
        """Return the path that ``make`` returned when it was called with an empty folder of this name.

        If it failed, the next that asks calls it again.
        """
        folder, made = self._folder / name, self._folder / f"{name}.made"
        with (self._folder / f"{name}.lock").open("w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            try:
                if not made.exists():
                    shutil.rmtree(folder, ignore_errors=True)
                    folder.mkdir()
                    made.write_text(str(make(folder)), encoding="utf-8")
                return Path(made.read_text(encoding="utf-8"))
            finally:  # closing the file would not do, as long as a program that was started meanwhile has it, too
                fcntl.flock(lock, fcntl.LOCK_UN)
