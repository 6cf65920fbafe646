"""Reading a run while it is written, joined, renamed and finished."""

import json
import shutil
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest
from tests.conftest import HOUSE
from tests.desk.conftest import serving
from tests.testbed import made_finished

from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import load_scenario
from coldaisle_desk.listing import compared, context
from coldaisle_desk.matching import Matched
from coldaisle_desk.panels import incidents, lanes, models
from coldaisle_desk.shelf import Place, Shelf
from coldaisle_desk.tail import Tail
from coldaisle_desk.view import View
from coldaisle_desk.watched import Watched


def _watched(final: Path) -> Watched:
    return Watched(Place(final.name, final), lambda _: True, time.time_ns)


def _look(run: Watched) -> Watched:
    """Look at once, however long ago the last look was."""
    run._looked = -1e9
    run.look()
    return run


def _view(run: Watched, source: str = "live") -> View:
    assert run.plan is not None
    return View(run, run.plan, {}, source)


def test_a_half_written_line_waits_for_its_end(tmp_path: Path) -> None:
    """A line without its end is read when it is whole, once; a line that is no JSON is counted."""
    path = tmp_path / "a.jsonl"
    tail = Tail(path)
    assert tail.lines() == []
    path.write_text('{"a": 1}\n{"a"')
    assert tail.lines() == [{"a": 1}]
    with path.open("a") as file:
        file.write(': 2}\nnonsense\n[1]\n{"a": 3}\n')
    assert tail.lines() == [{"a": 2}, {"a": 3}]
    assert (tail.lines(), tail.odd) == ([], 2)


def test_a_run_is_read_in_parts_joined_and_renamed(finished: Path, tmp_path: Path) -> None:
    """From the folder of its shard to the finished run: the state goes on, and every line counts once."""
    final = tmp_path / "made"
    run = _watched(final)
    assert _look(run).state == "waiting"
    stage, shard = tmp_path / ".made", tmp_path / ".made" / "shards" / "day-1"
    (stage / "journal").mkdir(parents=True)
    shutil.copy(finished / "plan.json", stage)
    shutil.copytree(finished / "journal", shard / "journal")
    whole = (shard / "journal" / "inrow-13.jsonl").read_bytes()
    (shard / "journal" / "inrow-13.jsonl").write_bytes(whole[:-10])
    (shard / "journal" / "capture.jsonl").unlink()
    assert _look(run).state == "playing"
    before = len(_look(run).record.sent["inrow-13", 1])
    (shard / "journal" / "inrow-13.jsonl").write_bytes(whole)
    shutil.rmtree(stage / "journal")
    shutil.copytree(finished / "journal", stage / "journal")
    shutil.rmtree(stage / "shards")
    assert _look(run).state == "labelling"
    shutil.rmtree(stage)
    shutil.copytree(finished, final, symlinks=True)
    assert _look(run).state == "audited"
    assert before <= len(run.record.sent["inrow-13", 1]) == 9
    assert {row.phase for row in lanes.rows(_view(run))} <= {"end", "off_path"}
    shutil.move(final, tmp_path / "other")
    assert _look(run).state == "waiting"


def test_alarms_are_matched_by_frame_and_else_by_time(finished: Path, tmp_path: Path) -> None:
    """An alarm at a frame of an episode belongs to it in both ways; one far from any is false."""
    run_folder = made_finished.copy(finished, tmp_path)
    table = pq.read_table(run_folder / "dataset" / "packets.parquet").to_pylist()
    hit = next(row for row in table if row["label"] == 1 and row["ip_src"])
    miss = next(
        row
        for row in table
        if not row["episode"] and row["ip_src"] and row["time_ns"] < hit["time_ns"] - 3e11
    )
    books = tmp_path / "alarms" / "made"
    books.mkdir(parents=True)
    lines: list[dict[str, Any]] = [
        {"event": "watching", "model": "rule", "policy": "best F1", "shard": "day-1"}
    ]
    lines += [
        {"event": "alarm", "shard": "day-1", "score": 1.0, "client": row["client"],
         **{key: row[key] for key in ("frame", "time_ns", "ip_src", "ip_dst")}}
        for row in (miss, hit)
    ]  # fmt: skip
    (books / "day-1.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    run = _look(_watched(run_folder))
    matched = Matched(run, "live")
    assert [alarm.episode for alarm in matched.alarms()] == ["", hit["episode"]]
    run.labels = None
    assert not matched.exact
    assert [alarm.episode for alarm in Matched(run, "live").alarms()] == ["", hit["episode"]]
    run.labels = _look(_watched(run_folder)).labels
    shown = lanes.context(_view(run))
    assert (shown["verdicts"]["caught"], shown["false_alarms"]) == (1, 1)
    assert shown["verdicts"]["missed"] == 3
    evidence = [
        part["filter"] for row in incidents.context(_view(run))["incidents"] for part in row["evidence"]
    ]
    assert set(evidence) == {f"frame.number in {{{row['frame']}}}" for row in (hit, miss)}


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ([5], "frame.number in {5}"),
        ([1, 2, 3, 9], "frame.number in {1..3, 9}"),
        (list(range(1, 200, 2)), "frame.number >= 1 && frame.number <= 199 && ip.addr == 198.18.0.41"),
    ],
)
def test_a_display_filter_finds_its_frames(frames: list[int], expected: str) -> None:
    """Few frames are named, many are a range with the address."""
    assert incidents.display_filter(frames, ("198.18.0.41", "198.18.0.1")) == expected


def test_judged_detectors_stand_beside_the_models(finished: Path, tmp_path: Path) -> None:
    """A judged detector has its row in the table, and its alerts can be shown as the alarms."""
    run_folder = made_finished.copy(finished, tmp_path)
    judged = run_folder / "analyses" / "001" / "judged"
    judged.mkdir()
    (judged / "ids.json").write_text('[{"model": "ids", "level": "packets", "f1": 0.5, "recall": null}]')
    (judged / "ids.csv").write_text(
        "alert,name,score,rule,frame,label,kind,episode\nx,,0.7,frame,12,0,normal,\nx,,1,none,,,,\n"
    )
    run = _look(_watched(run_folder))
    (row,) = models.context(_view(run))["tables"]["packets"]
    assert (row["name"], row["own"], row["f1"]) == ("ids", False, 0.5)
    (alarm,) = _view(run, "ids").alarms()
    assert (alarm.frame, alarm.score, alarm.episode) == (12, 0.7, "")


def test_twins_say_which_attack_left_a_trace(finished: Path, tmp_path: Path) -> None:
    """An episode of which no row differs from its twin has a ring in its lane; one that was not compared, and a broken file, have none."""
    folder = made_finished.copy(finished, tmp_path)
    run = _look(_watched(folder))
    assert not lanes.context(_view(run))["compared"]
    first, second, *_ = (episode.id for episode in _view(run).plan.episodes)
    rows = [
        {"episode": first, "level": "packets", "rows": 9, "visible": 0},
        {"episode": first, "level": "readings", "rows": 0, "visible": 0},
        {"episode": second, "level": "readings", "rows": 4, "visible": 3},
        {"episode": second, "level": "windows", "rows": 1, "visible": 1},
    ]
    for name, text in (("001", json.dumps({"episodes": rows})), ("002", '{"episodes": [{}]}')):
        (folder / "twins" / name).mkdir(parents=True)
        (folder / "twins" / name / "episodes.json").write_text(text)
    every = {row.episode.id: row for row in lanes.rows(_view(run))}
    assert (every[first].trace, every[first].is_traceless) == ({"packets": (0, 9)}, True)
    assert (every[second].trace, every[second].is_traceless) == ({"readings": (3, 4)}, False)
    with serving(tmp_path) as desk:
        page = desk.panel("made", "lanes")
    assert page.count("traceless") == 1
    assert "3 of 4</a> readings" in page


def test_a_folder_lists_runs_and_compares_two(finished: Path, tmp_path: Path) -> None:
    """Finished runs with and without models, broken and unfinished ones have their state; two copies of a run have the same digests."""
    made_finished.copy(finished, tmp_path)
    shutil.copytree(finished, tmp_path / "twin", symlinks=True)
    (tmp_path / "twin" / "analyses" / "001" / "models").mkdir()
    (tmp_path / "broken").mkdir()
    for name in ("plan.json", "manifest.json"):
        (tmp_path / "broken" / name).write_text("{")
    (tmp_path / ".left" / "shards").mkdir(parents=True)
    shelf = Shelf(tmp_path, "", lambda _: False)
    states = {row["name"]: row["state"] for row in context(shelf)["runs"]}
    assert states == {"made": "audited", "twin": "analysed", "broken": "broken", "left": "left unfinished"}
    rows = {row["key"]: row["values"] for row in compared(shelf, ["made", "twin"])["rows"]}
    assert len(set(rows["semantic digest"])) == 1
    assert compared(shelf, ["made", "none"])["found"] == [True, False]


def test_an_episode_lasts_until_the_present_of_its_own_shard(tmp_path: Path) -> None:
    """While days are played side by side, an episode that goes on ends where its own day has got to."""
    plan = build_plan(load_scenario(HOUSE / "scenarios" / "week.toml"))
    stage, hour = tmp_path / ".week", 3600 * SECOND
    for day in range(3):
        journal = stage / "shards" / f"day-{day + 1}" / "journal"
        journal.mkdir(parents=True)
        offset = {
            "event": "offset",
            "shard": f"day-{day + 1}",
            "wall_ns": 0,
            "offset_ns": plan.day_ns(day) + 23 * hour,
        }
        (journal / "timeline.jsonl").write_text(json.dumps(offset) + "\n")
    (stage / "plan.json").write_text(plan.model_dump_json())
    (stage / "order.json").write_text('{"shards": 7}')
    episode = next(episode for episode in plan.episodes if episode.onset // plan.scenario.slots_per_day == 1)
    begin = {
        "event": "episode",
        "shard": "day-2",
        "episode": episode.id,
        "phase": "begin",
        "at_ns": episode.begin_ns,
    }
    (stage / "shards" / "day-2" / "journal" / "injector.jsonl").write_text(json.dumps(begin) + "\n")
    run = Watched(Place("week", tmp_path / "week"), lambda _: True, lambda: 0)
    row = next(row for row in lanes.rows(_view(_look(run))) if row.episode == episode)
    assert row.played == (episode.begin_ns, plan.day_ns(1) + 23 * hour)
    assert (run.shards, len(run.record.paces)) == (7, 3)
