"""A real run with edited journals: every edit is named, or changes no label."""

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.netns.observe import labels_of

from coldaisle_analysis import witness
from coldaisle_analysis.truth import ledger
from coldaisle_analysis.truth.readings import settle
from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.plan import Plan
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import Scenario
from coldaisle_testbed import shard_folders, sharding

pytestmark = pytest.mark.netns
Line = dict[str, Any]
MINUTES = 20 * 60 * SECOND


def _episode(kind: str, start: str, unit: str = "", readings: int = 1, **more: Any) -> Line:
    where = {"unit": unit} if unit else {}
    return {"kind": kind, "day": 1, "start": start, "readings": readings, **where, **more}


EPISODES = [
    _episode("modification", "00:30", "inrow-13", sensors=(1, 2), variant="shift", size=2.0),
    _episode("duplication", "00:30", "inrow-15", sensors=(3,), variant="once"),
    _episode("interception", "00:30", "inrow-23", 2),
    _episode("clock-step", "00:30", "inrow-25", 3, size=20),
    _episode("takeover", "01:00", "inrow-13", sensors=(4,)),
    _episode("delay", "01:05", "inrow-15", sensors=(2,), delay_s=30),
    _episode("reboot", "01:10", "inrow-23", outage_s=20),
    _episode("time-forgery", "01:20", "inrow-25", 1, size=30),
    _episode("tampering", "01:40", "inrow-13", sensors=(1,), variant="ip.ttl"),
    _episode("brute-force", "00:45", count=4),
    _episode("syn-flood", "01:30", count=12),
    _episode("arp-sweep", "01:15", count=8),
    _episode("maintenance", "01:50", readings=2),
    _episode("late-sensor", "01:30", "inrow-23", 2, sensors=(1,), delay_s=40),
    _episode("repeating-sensor", "01:50", "inrow-25", 2, sensors=(2,), variant="burst", count=2),
    _episode("dropping-sensor", "01:00", "inrow-25", 2, sensors=(3,)),
    _episode("offset-sensor", "00:50", "inrow-23", 2, sensors=(4,), size=2),
]
"""Episodes of every way to act: on the path, from the attacker's own host, by the unit itself."""


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two hours with these episodes, played once and not concluded."""
    scenario = {
        "name": "lively",
        "seed": 11,
        "first_day": "2026-03-02",
        "time_zone": "UTC",
        "duration_h": 2.25,
    }
    plan = build_plan(Scenario.model_validate({**scenario, "episodes": EPISODES}))
    run = tmp_path_factory.mktemp("lively") / "run"
    shard_folders.prepare(run, plan)
    sharding.play(plan, run, 1, lambda _: None)
    return run


@pytest.fixture
def run(played: Path, tmp_path: Path) -> Path:
    """A copy of the run that a test may edit."""
    return shutil.copytree(played, tmp_path / "run")


def _broken(run: Path) -> list[str]:
    """Return the problems that the witness finds in a run, or, if it finds none, those of the ledger."""
    try:
        testimony = witness.testify(run)
        if testimony.doubts:  # the witness takes a tenth of the ledger's time
            return [str(doubt) for doubt in testimony.doubts]
        account = settle(run)
        return [*ledger.check(run, account), *witness.differences(testimony, labels_of(account))]
    except InputError as error:
        return [str(error)]


def _read(run: Path, journal: str) -> list[Line]:
    return [json.loads(line) for line in (run / "journal" / f"{journal}.jsonl").read_text().splitlines()]


def _write(run: Path, journal: str, lines: list[Line]) -> None:
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (run / "journal" / f"{journal}.jsonl").write_text(text)


def _confirmable(line: Line) -> bool:
    """Return whether the capture beside the broker, or the plan, can confirm a line."""
    return bool(line["event"] != "frame" or line["side"] == "broker")


def _groups(lines: list[Line]) -> dict[str, list[int]]:
    """Return the positions of the lines of each sort."""
    numbers: dict[str, list[int]] = {}
    for number, line in enumerate(lines):
        if _confirmable(line):
            sort = line.get("act") or line.get("operation") or line.get("phase") or line.get("reason") or ""
            numbers.setdefault(f"{line['event']} {sort}".strip(), []).append(number)
    return numbers


def _dropped(lines: list[Line], number: int) -> list[Line]:
    return [*lines[:number], *lines[number + 1 :]]


def _added(lines: list[Line], number: int) -> list[Line]:
    return [*lines[: number + 1], *lines[number:]]


def _moved(lines: list[Line], number: int) -> list[Line]:
    """Write a line 20 minutes later, at the place of that time."""
    moved = dict(lines[number])
    for key in ("at_ns", "taken_ns", "stamp_ns", "sent_ns", "acked_ns"):
        if key in moved:
            moved[key] += MINUTES
    others = _dropped(lines, number)
    key = "acked_ns" if moved["event"] == "reading" else "at_ns"
    later = [place for place, line in enumerate(others) if line.get(key, 0) > moved[key]]
    place = later[0] if later else len(others)
    return [*others[:place], moved, *others[place:]]


EDITS: dict[str, Callable[[list[Line], int], list[Line]]] = {
    "dropped": _dropped,
    "added": _added,
    "moved in time": _moved,
}
HARMLESS = {
    ("frame speak", "moved in time"),
    ("frame answer", "moved in time"),
}
"""Edits that change no label: the frame is joined by its digest, at whatever time its line has."""


def test_untouched_run_has_nothing_broken(played: Path) -> None:
    """Ledger and witness agree on the unedited run, which has frames of every episode but one, and silence of that one."""
    account = settle(played)
    labels = labels_of(account)
    testimony = witness.testify(played)
    assert ledger.check(played, account) == []
    assert witness.differences(testimony, labels) == []
    assert len(testimony.names) == len(labels) > 1_000
    episodes = {episode.id for episode in Plan.load(played / "plan.json").episodes}
    assert len(episodes - {label.episode for label in labels}) == 1  # that of the silent sensor


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("journal", ["injector", "inrow-23", "inrow-25"])
def test_edited_journal_is_named_or_changes_no_label(run: Path, journal: str, edit: str) -> None:
    """A dropped, added or moved line of any sort is named; an edit that is not named changes no label."""
    lines = _read(run, journal)
    before = labels_of(settle(run))
    rng = random.Random(f"{journal}/{edit}")  # noqa: S311 - which line is edited
    passed = dict[str, list[str]]()
    groups = _groups(lines)
    for sort, numbers in groups.items():
        _write(run, journal, EDITS[edit](lines, rng.choice(numbers)))
        broken = _broken(run)
        if not broken:
            passed[sort] = broken
            assert labels_of(settle(run)) == before, sort
    assert {(sort, edit) for sort in passed} <= HARMLESS
    assert len(groups) > 4


FIELDS: dict[str, tuple[str, ...]] = {
    "frame": ("episode", "digest", "role", "anomalous", "side", "act"),
    "act": ("episode", "unit", "slot", "sensor", "operation"),
    "episode": ("episode", "phase"),
    "open": ("episode", "port"),
    "reading": ("client", "name", "slot", "value", "mid", "port", "episode"),
    "connect": ("client", "name", "port", "reason", "was", "episode"),
    "disconnect": ("client", "port", "reason", "episode"),
    "time": ("slot",),
}
"""The keys from which a label or the fate of a reading follows."""


def _other(key: str, value: object) -> object:
    """Return another value of the same type."""
    if key in ("slot", "was"):
        return int(str(value)) + 7
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    swapped = {
        "broker": "unit",
        "unit": "broker",
        "e01": "e02",
        "": "e01",
        "start": "end",
        "begin": "end",
        "duplicate": "delayed",
    }
    return swapped.get(
        str(value), {"episode": "e01", "digest": "0" * 16, "role": "duplicate"}.get(key, f"{value}1")
    )


@pytest.mark.parametrize("journal", ["injector", "inrow-23", "inrow-25"])
def test_edited_fact_is_named(run: Path, journal: str) -> None:
    """Every change of a fact on which a label depends is named."""
    lines = _read(run, journal)
    rng = random.Random(f"{journal}/facts")  # noqa: S311 - which line is edited
    missed = list[str]()
    for sort, numbers in _groups(lines).items():
        for key in FIELDS[sort.split()[0]]:
            number = rng.choice(numbers)
            line = lines[number]
            if key not in line:
                continue
            _write(
                run, journal, [*lines[:number], {**line, key: _other(key, line[key])}, *lines[number + 1 :]]
            )
            if not _broken(run):
                missed.append(f"{sort}: {key} {line[key]!r}")
    assert missed == []
