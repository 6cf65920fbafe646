"""The player of the desk: makes one run at a time, as a program of its own."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from coldaisle_contracts.errors import InputError
from coldaisle_testbed import injecting

_LAST_WORDS = 2000
"""Bytes of the output of a run in which the reason for its end is looked for."""
_STOP_S = 60.0
"""Longest time in which a run cleans up, in s."""


class ScenarioPlayer:
    """Player of the scenarios in a folder.

    Args:
        folder: the folder.
        nice: niceness of the desk, which a run must not inherit.
    """

    def __init__(self, folder: Path, nice: int) -> None:
        self._folder, self._nice, self._lock = folder, nice, threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._name, self._output = "", tempfile.TemporaryFile()  # noqa: SIM115 - as long as the desk

    @property
    def scenarios(self) -> tuple[str, ...]:
        """Names of the scenarios."""
        return tuple(sorted(path.stem for path in self._folder.glob("*.toml")))

    @property
    def playing(self) -> str:
        """Name of the run that is being made; empty for none."""
        return self._name if self._process is not None and self._process.poll() is None else ""

    @property
    def ending(self) -> str:
        """The last words of the last run, if it did not end well."""
        if self._process is None or not self._process.poll():
            return ""
        self._output.seek(max(0, self._output.seek(0, os.SEEK_END) - _LAST_WORDS))
        lines = self._output.read().decode(errors="replace").strip().splitlines()
        return lines[-1].strip() if lines else f"it ended with exit code {self._process.returncode}"

    def start(self, runs: Path, scenario: str, seed: int | None) -> str:
        """Begin to make a run in a folder, and return its name.

        Raises:
            InputError: if another one is being made.
        """
        with self._lock:
            if self.playing:
                raise InputError(
                    "scenario", f"the desk is playing {self.playing}: stop it, or wait for its end", scenario
                )
            name = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{scenario}"
            words = ["up", str(self._folder / f"{scenario}.toml"), "--out", str(runs / name)]
            words += [] if seed is None else ["--seed", str(seed)]
            anew = ["nice", "-n", str(-self._nice)] if os.geteuid() == 0 else []
            self._output.seek(0)
            self._output.truncate()
            self._process = subprocess.Popen(  # noqa: S603 - our own program, with a scenario of a list
                [*anew, sys.executable, "-m", "coldaisle_testbed", *words],
                stdin=subprocess.DEVNULL, stdout=self._output, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
            self._name = name
        return name

    def inject(self, run: Path, wish: Mapping[str, Any], day: int | None) -> str:
        """Put an episode into a run that is being played, and return a sentence on it.

        Args:
            run: the folder of the run, under its final or its hidden name.
            wish: keys of the episode, as in a scenario.
            day: the day, from 1; ``None`` where nobody names one.

        Raises:
            InputError: if it cannot be put in.
        """
        return injecting.inject(run, wish, day).sentence()

    def stop(self) -> None:
        """End the run that is being made, as SIGTERM does."""
        if self._process is not None and self.playing:
            self._process.send_signal(signal.SIGTERM)

    def close(self) -> None:
        """End the run that is being made, and wait until it has cleaned up."""
        self.stop()
        if self._process is not None:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_STOP_S)
        self._output.close()
