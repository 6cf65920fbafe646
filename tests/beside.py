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

CONTAINERS = "tests/compose/"
"""Tests of real containers share the one Docker Engine of the machine, and some check that nobody else has a run on it."""
FIRST = (CONTAINERS, "tests/netns/", "tests/analysis/", "tests/testbed/", "tests/desk/")
"""Folders whose tests take longest, in this order: what is short comes last, so that all workers end at about the same time."""


class Together(LoadScopeScheduling):  # type: ignore[misc] # xdist ships no types
    """Gives a worker all tests of a file, because they share what the file's fixtures make, and all tests in containers."""

    @override
    def _split_scope(self, nodeid: str) -> str:
        return CONTAINERS if nodeid.startswith(CONTAINERS) else nodeid.partition("::")[0]


def long_ones_first(items: list[pytest.Item]) -> None:
    """Sort tests by their folders as :data:`FIRST` says; the order within a folder stays."""
    items.sort(
        key=lambda item: next(
            (place for place, folder in enumerate(FIRST) if item.nodeid.startswith(folder)), len(FIRST)
        )
    )


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
