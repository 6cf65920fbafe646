"""Real runs on dates far from today: time servers, broker and captures have the right stamps."""

from pathlib import Path

import pytest

from coldaisle_analysis.truth import ledger
from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.journal import read_journal
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import Scenario
from coldaisle_testbed import shard_folders, sharding

pytestmark = pytest.mark.netns
NEAR = 60 * SECOND
"""Largest distance of a stamp from the plan, ns: more than a busy machine needs for a reading, and far less than an era."""
HOUR: dict[str, object] = {
    "duration_h": 1,
    "episodes": [{"kind": "time-forgery", "unit": "inrow-13", "day": 1, "start": "00:15:00", "readings": 4}],
}
DATES: dict[str, tuple[str, dict[str, object]]] = {
    "1970, the first day there is": ("1970-01-01", HOUR),
    "2036, across the border of NTP's eras": (
        "2036-02-07",
        {"duration_h": 9, "interval_s": 3600, "keepalive_s": 7200},
    ),
    "2040, a leap day beyond 2038": ("2040-02-29", HOUR),
    "2106, the last day there is": ("2106-02-06", HOUR),
}


@pytest.mark.parametrize("name", DATES)
def test_stamps_are_right_on_any_day(tmp_path: Path, name: str) -> None:
    """Every time query is answered, every reading has its planned time, and the run adds up."""
    first_day, keys = DATES[name]
    usual: dict[str, object] = {
        "name": "made",
        "seed": 7,
        "time_zone": "UTC",
        "first_day": first_day,
        "units": ["inrow-13"],
        "ntp_every": 1,
    }
    plan = build_plan(Scenario.model_validate({**usual, **keys}))
    shard_folders.prepare(tmp_path / "run", plan)
    sharding.play(plan, tmp_path / "run", 1, lambda _: None)
    lines = list(read_journal(tmp_path / "run" / "journal" / "inrow-13.jsonl"))
    queries = [line for line in lines if line["event"] == "time"]
    readings = [line for line in lines if line["event"] == "reading"]
    assert [line for line in queries if "failed" in line] == []
    assert len(queries) == plan.scenario.slots
    assert len(readings) == 4 * plan.scenario.slots
    forged = {act.slot for episode in plan.episodes for act in episode.acts}
    for line in readings:
        due = plan.reading_ns(line["slot"], "inrow-13")
        assert line["synced"] == line["slot"]
        assert abs(line["taken_ns"] - due) < NEAR
        if line["slot"] not in forged:
            assert abs(line["stamp_ns"] - line["taken_ns"]) < NEAR
    assert ledger.check(tmp_path / "run") == []
