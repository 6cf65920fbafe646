"""Measures what the page costs a run: runs in turn without the desk, and with the desk and a page that follows them.

    sudo benchmarks/desk.py [SCENARIO] [--pairs N]

The page is a client that hears the stream and asks for panels as `desk.js` does; no browser takes part, which would draw on the same
processors. Prints wall time and processor time of each run, that of the desk, and its shares. Target: at most 3 % of the run's time.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path

from coldaisle_desk.panels import PANELS

HOUSE = Path(__file__).resolve().parents[1]
PROGRAM = [sys.executable, "-m", "coldaisle_testbed"]
TOKEN = "of-the-benchmark"  # noqa: S105 - it opens nothing but a desk of the benchmark


def played(scenario: Path, runs: Path, name: str) -> tuple[float, float]:
    """Play a scenario; return wall time and processor time, in s."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    command = [*PROGRAM, "up", str(scenario), "--out", str(runs / name), "--no-analysis"]
    subprocess.run(command, check=True, capture_output=True)
    wall, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


class Page:
    """A page that follows a run until it is closed.

    Args:
        address: address of the desk, with its token.
        name: name of the run.
    """

    def __init__(self, address: str, name: str) -> None:
        place, _, _ = address.partition("?")
        self._run, self._open = f"{place}run/{name}/", True
        self._browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        self._browser.open(address, timeout=20).read()
        self._threads = [threading.Thread(target=self._hear), threading.Thread(target=self._ask)]
        self._known: dict[str, str] = {}
        self.events = self.panels = 0
        for thread in self._threads:
            thread.start()

    def _hear(self) -> None:
        with suppress(OSError, HTTPException), self._browser.open(f"{self._run}events", timeout=20) as stream:
            while self._open:
                self.events += stream.readline().startswith(b"data:")

    def _ask(self) -> None:
        """Ask for each panel when something was heard, as often as the page does."""
        asked, heard = dict.fromkeys(PANELS, 0.0), dict.fromkeys(PANELS, 0)
        while self._open:
            for name, panel in PANELS.items():
                now = time.monotonic()
                if heard[name] < self.events and now - asked[name] >= panel.every_ms / 1000:
                    asked[name], heard[name] = now, self.events
                    with suppress(OSError, HTTPException):
                        self._browser.open(f"{self._run}panel/{name}", timeout=20).read()
                        self.panels += 1
            time.sleep(0.05)

    def close(self) -> None:
        """Close it; the stream ends with the desk."""
        self._open = False

    def join(self) -> None:
        """Wait for its threads."""
        for thread in self._threads:
            thread.join()


def watched(scenario: Path, runs: Path, name: str) -> tuple[float, float, float, str]:
    """Play a scenario while a page follows it; return wall time and processor time of the run, processor time of the desk, and a remark."""
    desk = subprocess.Popen(
        [*PROGRAM, "desk", "--runs", runs, "--port", "0"], stdout=subprocess.PIPE, text=True, env=os.environ | {"COLDAISLE_TOKEN": TOKEN}
    )  # fmt: skip
    assert desk.stdout is not None  # noqa: S101 - it is a pipe
    try:
        page = Page(desk.stdout.readline().strip(), name)
        before = spent(desk.pid)
        wall, processor = played(scenario, runs, name)
        page.close()
        cost = spent(desk.pid) - before
    finally:
        desk.kill()
        desk.wait()
    page.join()
    return wall, processor, cost, f"{page.events} events, {page.panels} panels"


def spent(process: int) -> float:
    """Return the processor time of a process so far, in s."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Play in turn, and print each pair and the medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("scenario", type=Path, nargs="?", default=HOUSE / "scenarios" / "week.toml")
    parser.add_argument("--pairs", type=int, default=3)
    options = parser.parse_args()
    walls: list[float] = []
    shares: list[float] = []
    busiest: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        for pair in range(options.pairs):
            wall, processor = played(options.scenario, Path(folder), f"alone-{pair}")
            seen, busy, cost, remark = watched(options.scenario, Path(folder), f"watched-{pair}")
            walls.append(seen / wall - 1)
            shares.append(cost / seen)
            busiest.append(cost / busy)
            print(
                f"alone {wall:.1f} s, {processor:.1f} s of processor time; "
                f"watched {seen:.1f} s, {busy:.1f} s; desk {cost:.2f} s ({remark})"
            )
    print(
        f"wall time {statistics.median(walls):+.1%}; processor time of the desk: {statistics.median(shares):.1%} of the run's "
        f"wall time, {statistics.median(busiest):.1%} of its processor time"
    )


if __name__ == "__main__":
    main()
