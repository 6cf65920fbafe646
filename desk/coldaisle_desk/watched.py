"""A run as the desk watches it: what its folder holds now, in the making or finished."""

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from coldaisle_contracts.analyses import ANALYSES, analyses_of
from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.manifest import MANIFEST, Manifest
from coldaisle_contracts.plan import Plan
from coldaisle_contracts.shard import Shard
from coldaisle_contracts.twins import twins_of
from coldaisle_desk import labels
from coldaisle_desk.alarms import Books
from coldaisle_desk.record import Pace, Record
from coldaisle_desk.shelf import PLAN, SHARDS, Place
from coldaisle_desk.tail import Tail

ORDER = "order.json"
"""File of a run in the making that says in how many shards it is played."""
State = Literal["waiting", "playing", "labelling", "left", "sealed", "analysing", "audited", "analysed"]
LOOK_S = 0.4
"""Least time between two looks into a folder, in s: many requests at once share one."""
_UNSEEN = b'"anomalous":false', b'"side":"unit"'
"""In the lines of frames that were merely relayed, or do not pass the capture: half of the attacker's lines, which no panel shows."""
EVER = 1 << 62
"""A virtual time that no run reaches, in ns."""


def kind_of(analysis: Path) -> Literal["audited", "analysed"]:
    """Return what an analysis has made of its run: one without models, as of ``--no-analysis``, has audited it."""
    return "analysed" if (analysis / "models").is_dir() else "audited"


class Watched:
    """A run whose folder is looked into again and again; hold :attr:`lock` while reading from it.

    Args:
        place: where it lies.
        is_held: tells whether a process works in a folder.
        wall_ns: returns the time, in ns since the epoch.

    Attributes:
        lock: held by whoever looks or reads.
        folder: its folder now; ``None`` while there is none.
        plan: its plan; ``None`` while there is none.
        problem: why its plan or manifest cannot be read; empty where they can.
        record: what its journals say.
        books: the alarms of ``coldaisle live``.
        manifest: its manifest, once it is finished.
        labels: the episode of each frame, once it is labelled; ``None`` before.
    """

    def __init__(self, place: Place, is_held: Callable[[Path], bool], wall_ns: Callable[[], int]) -> None:
        self.place, self.lock, self._is_held, self._wall_ns = place, threading.RLock(), is_held, wall_ns
        self.books = Books(place.alarms)
        self._looked = -LOOK_S
        self._forget()

    def _forget(self) -> None:
        self.folder: Path | None = None
        self.plan: Plan | None = None
        self.manifest: Manifest | None = None
        self.labels: labels.Labels | None = None
        self.record, self.problem, self.held = Record(), "", False
        self._tails: dict[str, Tail] = {}
        self._parts: bool | None = None
        self._planned: tuple[int, int] | None = None

    def look(self) -> None:
        """Read what is new, unless that was done just now."""
        with self.lock:
            if time.monotonic() - self._looked < LOOK_S:
                return
            self._look()
            self._looked = time.monotonic()

    def _look(self) -> None:
        folder = self.place.folder
        if folder is None:
            if self.folder is not None:
                self._forget()
            return
        self._refresh(folder)
        self.folder, self.held = folder, self._is_held(folder)
        self._read_plan(folder)
        for path in self._journals(folder):
            name = str(path.relative_to(folder))
            tail = self._tails.setdefault(name, Tail(path, _UNSEEN))
            tail.path = path  # the folder may have been renamed
            self.record.add(path.stem, tail.lines())
        self.books.look()
        self._read_products(folder)

    def _refresh(self, folder: Path) -> None:
        """Forget everything if the journals were joined meanwhile, or another run has taken the place."""
        parts = (folder / SHARDS).is_dir()
        try:
            status = (folder / PLAN).stat()
            planned = status.st_mtime_ns, status.st_size
        except OSError:
            planned = None
        changed = self._planned is not None and planned is not None and planned != self._planned
        other = changed and not self._grows(folder)
        shrank = any((folder / name).exists() and tail.shrank() for name, tail in self._tails.items())
        if (self._parts is not None and parts != self._parts) or other or shrank:
            self._forget()
        self._parts, self._planned = parts, planned or self._planned

    def _grows(self, folder: Path) -> bool:
        """Read a plan that has changed, if it is the one from before with more episodes, and tell whether it is."""
        try:
            plan = Plan.load(folder / PLAN)
        except InputError:
            return False
        if self.plan is None or plan == self.plan or not plan.continues(self.plan):
            return False
        self.plan = plan
        return True

    def _journals(self, folder: Path) -> list[Path]:
        pattern = f"{SHARDS}/*/journal/*.jsonl" if self._parts else "journal/*.jsonl"
        try:
            return sorted(folder.glob(pattern))
        except OSError:  # removed meanwhile
            return []

    def _read_plan(self, folder: Path) -> None:
        if self.plan is None and (folder / PLAN).is_file():
            try:
                self.plan, self.problem = Plan.load(folder / PLAN), ""
            except InputError as error:
                self.problem = str(error)

    def _read_products(self, folder: Path) -> None:
        if self.manifest is None and (folder / MANIFEST).is_file():
            try:
                self.manifest = Manifest.load(folder)
            except InputError as error:
                self.problem = str(error)
        if self.labels is None and self.manifest is not None and (self.books.alarms or self.analysis):
            self.labels = labels.load(folder)

    @property
    def analysis(self) -> Path | None:
        """The folder of the newest analysis."""
        every = analyses_of(self.folder) if self.folder else []
        return every[-1] if every else None

    @property
    def state(self) -> State:
        """What is being done to it."""
        if self.folder is None or self.plan is None:
            return "waiting"
        if self.manifest is None:
            if not self.held:
                return "left"
            return (
                "labelling"
                if (self.folder / "journal" / "capture.jsonl").is_file() and not self._parts
                else "playing"
            )
        if any((self.folder / ANALYSES).glob(".making-*")):
            return "analysing"
        return kind_of(self.analysis) if self.analysis else "sealed"

    @property
    def is_live(self) -> bool:
        """Whether virtual time is running."""
        return self.state == "playing"

    @property
    def takes_episodes(self) -> bool:
        """Whether an episode can be put into it now."""
        return self.is_live and self.plan is not None and self.plan.scenario.time == "real"

    @property
    def versions(self) -> dict[str, str]:
        """The version of each source of the page; one that is the same has nothing new."""
        sizes = {name: tail.offset for name, tail in self._tails.items()}
        journals = sum(
            size for name, size in sizes.items() if not name.endswith(("timeline.jsonl", "capture.jsonl"))
        )
        products = (
            self.state,
            self.analysis and self.analysis.name,
            self.folder and len(twins_of(self.folder)),
            self.problem,
        )
        return {
            "journals": str(journals),
            "clocks": f"{sum(sizes.values()) - journals}/{self._wall_ns() // SECOND if self.takes_episodes else ''}",
            "alarms": str(self.books.size),
            "plan": str(len(self.plan.episodes) if self.plan else 0),
            "products": "/".join(map(str, products)),
        }

    def now_ns(self, shard: str) -> int:
        """Return the virtual time of a shard: that of its last line, and while it is played, what has passed since."""
        pace: Pace = self.record.paces[shard]
        sealed = any(of == shard for of, _, _ in self.record.captured.values())
        latest = pace.virtual_ns(self._wall_ns() if self.is_live and not sealed else None)
        return min(latest, self.end_of(shard))

    def days_of(self, shard: str) -> range:
        """Return the days of a shard, from 0; all for a name that no shard of the run can have."""
        assert self.plan is not None  # noqa: S101 - there is no shard without a plan
        days = self.plan.scenario.days
        try:
            return Shard.parse(shard, days).days
        except InputError:
            return range(days)

    def end_of(self, shard: str) -> int:
        """Return the virtual time at which a shard ends."""
        assert self.plan is not None  # noqa: S101 - there is no shard without a plan
        return min(self.plan.day_ns(self.days_of(shard)[-1] + 1), self.end_ns)

    @property
    def shards(self) -> int:
        """Number of shards in which it is played, as its order or its manifest says; those seen so far where neither does."""
        if self.manifest is not None:
            return self.manifest.shards
        try:
            order = json.loads(((self.folder or Path()) / ORDER).read_text(encoding="utf-8"))
            return max(int(order["shards"]), len(self.record.paces))
        except (OSError, ValueError, KeyError, TypeError):
            return len(self.record.paces)

    @property
    def start_ns(self) -> int:
        """Virtual time at which it begins."""
        return self.plan.start_ns if self.plan else 0

    @property
    def end_ns(self) -> int:
        """Virtual time at which it ends."""
        return self.start_ns + (round(self.plan.scenario.duration_h * 3600 * SECOND) if self.plan else 0)

    @property
    def wall_now_ns(self) -> int:
        """The time, in ns since the epoch."""
        return self._wall_ns()
