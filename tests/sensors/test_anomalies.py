"""The anomalies that a unit plays itself: their common rules, and the effect of each."""

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.sensors.made import CLIENTS, UNIT, Scene, TickingClock, plan_of

from coldaisle_contracts.clock import SECOND, ManualClock
from coldaisle_contracts.kinds import SHIPPED
from coldaisle_contracts.plan import Episode
from coldaisle_sensors import link as links
from coldaisle_sensors.anomalies.door import SHARES
from coldaisle_sensors.anomalies.firmware import SUFFIX

OWN = [name for name, kind in SHIPPED.items() if kind.actor == "unit"]
"""Every kind that a unit plays itself."""
ACT_KEYS = {
    "event", "shard", "episode", "unit", "slot", "sensor", "operation", "before", "after", "port", "mid", "copy",
    "digest", "client", "at_ns",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "pump", lambda *_: False)


def play(folder: Path, kind: str | None, **keys: Any) -> Scene:
    """Play two hours with an episode of a kind, or without any; time moves only if a cable makes the unit wait."""
    plan = plan_of(*([{"kind": kind} | keys] if kind else []))
    scene = Scene(folder, TickingClock() if kind == "cable" else ManualClock(), plan)
    scene.run()
    return scene


def only(scene: Scene) -> Episode:
    """Return the one episode of a scene."""
    (episode,) = scene.plan.episodes
    return episode


def parts(scene: Scene) -> Iterator[tuple[int, int, int, str]]:
    """Yield time, slot, sensor and operation of every part of the acts: a copy, or what is done when a reading is kept and published."""
    for act in only(scene).acts:
        taken_ns = scene.plan.reading_ns(act.slot, UNIT)
        due: tuple[tuple[int, str], ...] = ((act.times_ns[0] if act.times_ns else taken_ns, act.operation),)
        if act.operation == "hold":
            due = (taken_ns, "hold"), (act.times_ns[0], "release")
        elif act.operation == "copy":
            due = tuple((at_ns, "copy") for at_ns in act.times_ns)
        yield from ((at_ns, act.slot, act.sensor, operation) for at_ns, operation in due)


def taken(scene: Scene, *keys: str) -> dict[tuple[int, str], tuple[Any, ...]]:
    """Return these keys of every reading, by slot and sensor."""
    return {
        (line["slot"], line["client"]): tuple(line[key] for key in keys) for line in scene.lines("reading")
    }


@pytest.mark.parametrize("kind", OWN)
def test_a_kind_has_a_module(kind: str) -> None:
    """Its module has the kind's name, a docstring, and a class Anomaly."""
    module = importlib.import_module(SHIPPED[kind].played_by)
    assert module.__doc__
    assert module.Anomaly.__doc__


@pytest.mark.parametrize("kind", OWN)
def test_a_kind_obeys_the_plan(kind: str, tmp_path: Path) -> None:
    """The same seed gives the same journal; every act of the plan is played once, each of its parts in order and on time."""
    scene = play(tmp_path, kind)
    acts = scene.lines("act")
    assert play(tmp_path, kind).lines() == scene.lines()
    episode = only(scene)
    due = sorted(parts(scene), key=lambda part: part[0])
    assert [(act["slot"], act["sensor"], act["operation"]) for act in acts] == [part[1:] for part in due]
    for act, (due_ns, *_) in zip(acts, due, strict=True):
        assert due_ns <= act["at_ns"] <= due_ns + SECOND
        assert set(act) == ACT_KEYS
        assert (act["episode"], act["unit"]) == (episode.id, UNIT)


@pytest.mark.parametrize("kind", OWN)
def test_begin_and_end_bracket_what_a_kind_does(kind: str, tmp_path: Path) -> None:
    """All lines of the episode lie between one begin and one end."""
    scene = play(tmp_path, kind)
    episode = only(scene)
    named = [line for line in scene.lines() if line.get("episode")]
    assert {line["episode"] for line in named} == {episode.id}
    phases = [line.get("phase") for line in named]
    assert (phases[0], phases[-1]) == ("begin", "end")
    assert phases.count("begin") == phases.count("end") == 1
    assert episode.begin_ns <= named[0]["at_ns"] <= named[-1]["at_ns"] <= episode.end_ns + 5 * SECOND
    assert all(line.get("at_ns", line.get("sent_ns", 0)) >= episode.begin_ns for line in named)


@pytest.mark.parametrize("kind", OWN)
def test_a_kind_changes_nothing_outside_its_time(kind: str, tmp_path: Path) -> None:
    """Before begin and after end the unit behaves as without the episode, and no reading is doubled, or lost but by a silent sensor."""
    without, scene = play(tmp_path, None), play(tmp_path, kind)
    episode = only(scene)
    keys = ("value", "name", "attempts")
    for at, facts in taken(scene, *keys, "sent_ns", "episode").items():
        if not episode.begin_ns <= facts[3] <= episode.end_ns:
            assert facts[:3] == taken(without, *keys)[at]
            assert facts[4] == ""
    silent = {(act.slot, f"13{act.sensor}") for act in episode.acts if act.operation == "swallow"}
    assert set(taken(scene)) == set(taken(without)) - silent
    assert len(scene.lines("reading")) == len(taken(scene))
    for line in scene.lines("connect", "disconnect"):
        inside = episode.begin_ns <= line["at_ns"] <= episode.end_ns
        assert inside == (line["reason"] == kind) == (line["episode"] == episode.id)


@pytest.mark.parametrize("kind", OWN)
def test_what_a_kind_changed_is_restored(kind: str, tmp_path: Path) -> None:
    """At the end names, keepalive, clock and cable are the original ones, and each sensor has one open connection."""
    scene = play(tmp_path, kind)
    last = [scene.link(client) for client in CLIENTS]
    assert [link.name for link in last] == list(CLIENTS)
    assert {link.keepalive_s for link in last} == {scene.plan.scenario.keepalive_s}
    assert {link.ending for link in last} == {"disconnected"}
    assert all(link.ending for link in scene.links)
    assert scene.timesync.ahead_ns == 0
    assert not scene.cable.out


def test_reboot_drops_and_comes_back_as_new_clients(tmp_path: Path) -> None:
    """Four connections close without DISCONNECT, four open after the outage, and message ids start at 1 again."""
    scene = play(tmp_path, "reboot", outage_s=40)
    down_ns = only(scene).acts[0].times_ns[0]
    gone = [line for line in scene.lines("disconnect") if line["reason"] == "reboot"]
    back = [line for line in scene.lines("connect") if line["reason"] == "reboot"]
    assert {line["at_ns"] for line in gone} == {down_ns}
    assert {line["at_ns"] for line in back} == {down_ns + 40 * SECOND}
    assert [(line["client"], line["was"]) for line in back] == [
        (line["client"], line["port"]) for line in gone
    ]
    assert [link.ending for link in scene.links] == ["dropped"] * 4 + ["disconnected"] * 4
    slot = only(scene).onset + 1
    assert {line["mid"] for line in scene.lines("reading") if line["slot"] == slot} == {1}
    assert {line["episode"] for line in scene.lines("reading")} == {""}


def test_firmware_changes_name_and_keepalive_for_a_while(tmp_path: Path) -> None:
    """Between update and rollback the client id and the keepalive differ on the wire; the journal still names the sensor."""
    scene = play(tmp_path, "firmware", keepalive_s=700)
    onset = only(scene).onset
    updated = [link for link in scene.links if link.name.endswith(SUFFIX)]
    assert [(link.client, link.name) for link in updated] == [(c, c + SUFFIX) for c in CLIENTS]
    assert {link.keepalive_s for link in updated} == {700}
    under = {slot for (slot, _), (name,) in taken(scene, "name").items() if name.endswith(SUFFIX)}
    assert under == {onset + 1, onset + 2}
    assert {slot for (slot, _), (episode,) in taken(scene, "episode").items() if episode} == under
    reasons = [line["reason"] for line in scene.lines("connect", "disconnect")]
    assert reasons == ["start"] * 4 + ["firmware"] * 16 + ["end"] * 4


def test_cable_is_out_around_one_reading(tmp_path: Path) -> None:
    """The cable is pulled and plugged at the planned times, and the reading is delivered once, after the plug."""
    scene = play(tmp_path, "cable", outage_s=3)
    (act,) = only(scene).acts
    assert [move for move, _ in scene.cable.moves] == ["pull", "plug"]
    for (_, at_ns), due_ns in zip(scene.cable.moves, act.times_ns, strict=True):
        assert due_ns <= at_ns <= due_ns + SECOND
    acked = taken(scene, "acked_ns", "episode", "attempts", "sent_ns")
    for client in CLIENTS:
        acked_ns, episode, attempts, sent_ns = acked[act.slot, client]
        assert sent_ns < act.times_ns[1] <= acked_ns <= act.times_ns[1] + 2 * SECOND
        assert (episode, attempts) == (only(scene).id, 1)
    assert [line["slot"] for line in scene.lines("time") if "failed" in line] == (
        [act.slot] if act.slot % scene.plan.scenario.ntp_every == 0 else []
    )


def test_cable_takes_the_time_query_of_its_slot_with_it(tmp_path: Path) -> None:
    """The time query of the slot fails, and stamps still rely on the query before."""
    scene = play(tmp_path, "cable", start="00:40", outage_s=2)
    assert [line["slot"] for line in scene.lines("time") if "failed" in line] == [8]
    assert {synced for (slot, _), (synced,) in taken(scene, "synced").items() if slot == 8} == {4}


def test_connection_an_outage_cost_names_it(tmp_path: Path) -> None:
    """A connection reopened for the reading of the outage names the episode; a later loss does not."""
    plan = plan_of({"kind": "cable"})
    scene = Scene(
        tmp_path, TickingClock(), plan, sensor1={"loses": plan.episodes[0].onset + 1}, sensor2={"loses": 20}
    )
    scene.run()
    again = [line for line in scene.lines("connect") if line["reason"] != "start"]
    assert [(line["client"], line["reason"], line["episode"]) for line in again] == [
        ("131", "cable", "e01"),
        ("132", "lost", ""),
    ]


def test_door_warms_what_the_sensors_see(tmp_path: Path) -> None:
    """Return air warms by the act's amount, supply air and coolant out by their shares, coolant in not at all."""
    without, scene = play(tmp_path, None), play(tmp_path, "door", size=4)
    amounts = {act.slot: act.amount for act in only(scene).acts}
    assert list(amounts.values()) == [2, 3, 3.5]
    before = taken(without, "value")
    for (slot, client), (value, episode) in taken(scene, "value", "episode").items():
        warmed = SHARES[int(client[-1])] * amounts.get(slot, 0)
        assert float(value) - float(before[slot, client][0]) == pytest.approx(warmed, abs=0.011)
        assert episode == (only(scene).id if slot in amounts else "")


@pytest.mark.parametrize("size", [20, -20])
def test_clock_step_moves_readings_until_ntp_is_asked(size: int, tmp_path: Path) -> None:
    """A clock that is ahead wakes the unit early with stamps of the planned time, until the next query corrects it."""
    scene = play(tmp_path, "clock-step", size=size)  # slots 6 to 8, with a query in slot 8
    moved = taken(scene, "taken_ns", "stamp_ns", "synced", "episode")
    for (slot, _), (taken_ns, stamp_ns, synced, episode) in moved.items():
        off = size * SECOND if slot in (7, 8) else 0
        assert taken_ns == scene.plan.reading_ns(slot, UNIT) - off
        assert stamp_ns == taken_ns + 7 + (off if slot == 7 else 0)
        assert episode == (only(scene).id if off else "")
        assert synced == slot // 4 * 4 if slot != 9 else 8
    assert [line["slot"] for line in scene.lines("time")] == [0, 4, 8, 8, 12, 16, 20]


def test_clock_step_ends_when_the_plan_says(tmp_path: Path) -> None:
    """Without a regular query during the episode, the query at its end corrects the clock."""
    scene = play(tmp_path, "clock-step", size=9, start="00:25")  # slots 5 to 7
    stop = only(scene).acts[1]
    assert {slot for (slot, _), (episode,) in taken(scene, "episode").items() if episode} == {6, 7}
    query_times = [line["at_ns"] for line in scene.lines("time") if line["slot"] == 7]
    assert query_times == [stop.times_ns[0]]


def test_clock_is_set_by_hand_when_nobody_answers(tmp_path: Path) -> None:
    """If the time server is silent, the clock is right again after the episode all the same."""
    scene = Scene(tmp_path, ManualClock(), plan_of({"kind": "clock-step", "size": 20}))
    scene.server.silent = True
    scene.run()
    last = only(scene).acts[1].slot
    late = {slot for (slot, _), (episode,) in taken(scene, "episode").items() if episode}
    assert late == {last - 1, last}
    assert scene.timesync.ahead_ns == 0


@pytest.mark.parametrize(
    ("kind", "keys", "errors"),
    [
        ("offset-sensor", {"size": -3}, [-3, -3, -3]),
        ("drifting-sensor", {"size": 3}, [1, 2, 3]),
        ("stuck-sensor", {}, [-1, -2, -3]),
    ],
)
def test_faulty_sensor_alone_is_wrong(
    kind: str, keys: dict[str, Any], errors: list[float], tmp_path: Path
) -> None:
    """Its values are wrong by the acts' amounts, or stand still; those of the other sensors are right and under no episode."""
    without, scene = play(tmp_path, None), play(tmp_path, kind, sensors=[1], **keys)
    episode, before = only(scene), taken(without, "value")
    wrong = {(episode.onset + place, "131"): error for place, error in enumerate(errors)}
    for at, (value, named) in taken(scene, "value", "episode").items():
        assert float(value) - float(before[at][0]) == pytest.approx(wrong.get(at, 0), abs=0.011)
        assert named == (episode.id if at in wrong else "")


def test_noisy_sensor_has_another_error_each_time(tmp_path: Path) -> None:
    """The errors are those of the plan, and differ."""
    without, scene = play(tmp_path, None), play(tmp_path, "noisy-sensor", sensors=[2], spread=5)
    before, after = taken(without, "value"), taken(scene, "value")
    errors = [act.amount for act in only(scene).acts]
    assert len(set(errors)) == len(errors) == 3
    for act in only(scene).acts:
        at = act.slot, "132"
        assert float(after[at][0]) - float(before[at][0]) == pytest.approx(act.amount, abs=0.011)


@pytest.mark.parametrize("delay_s", [90, 400])
def test_late_sensor_publishes_what_it_took_in_time(delay_s: int, tmp_path: Path) -> None:
    """Its readings have the time, stamp and value of their slot and are sent later, perhaps after the next one was due."""
    without, scene = play(tmp_path, None), play(tmp_path, "late-sensor", sensors=[1, 3], delay_s=delay_s)
    episode = only(scene)
    late = {(slot, client) for slot in range(episode.onset, episode.onset + 3) for client in ("131", "133")}
    before = taken(without, "value", "taken_ns", "stamp_ns", "synced", "sent_ns")
    for at, facts in taken(scene, "value", "taken_ns", "stamp_ns", "synced", "sent_ns", "episode").items():
        assert facts[:4] == before[at][:4]
        after_s = (facts[4] - before[at][4]) / SECOND
        assert after_s == pytest.approx(delay_s if at in late else 0, abs=0.1)
        assert facts[5] == (episode.id if at in late else "")
    acts = [(act["operation"], act["before"], act["after"]) for act in scene.lines("act")]
    assert {(name, after is None) for name, _, after in acts} == {("hold", True), ("release", False)}


def test_repeating_sensor_publishes_its_reading_again(tmp_path: Path) -> None:
    """Each copy is a PUBLISH with the value of its reading and the next message id, and no reading is under the episode."""
    keys = {"variant": "burst", "count": 3, "gap_s": 2}
    without, scene = play(tmp_path, None), play(tmp_path, "repeating-sensor", sensors=[4], **keys)
    copies = scene.lines("act")
    assert len(scene.link("134").published) == len(without.link("134").published) + 9
    assert [copy["copy"] for copy in copies] == [1, 2, 3] * 3
    values, mids = taken(scene, "value"), taken(scene, "mid")
    for copy in copies:
        at = copy["slot"], "134"
        assert copy["before"] == copy["after"] == values[at][0]
        assert (copy["client"], copy["mid"]) == ("134", mids[at][0] + copy["copy"])
    assert {episode for (episode,) in taken(scene, "episode").values()} == {""}


def test_dropping_sensor_is_silent(tmp_path: Path) -> None:
    """It takes no reading in its slots and publishes none; its connection stays, and the other sensors report."""
    without, scene = play(tmp_path, None), play(tmp_path, "dropping-sensor", sensors=[2])
    onset = only(scene).onset
    missing = set(taken(without)) - set(taken(scene))
    assert missing == {(slot, "132") for slot in range(onset, onset + 3)}
    assert len(scene.link("132").published) == len(without.link("132").published) - 3
    assert len(scene.lines("connect")) == 4


def test_episodes_of_others_are_not_played(tmp_path: Path) -> None:
    """A unit does not play the episodes of another unit or of the injector."""
    plan = plan_of(
        {"kind": "door", "unit": "inrow-15"},
        {"kind": "interception"},
        {"kind": "appliance", "start": "01:10"},
    )
    scene = Scene(tmp_path, ManualClock(), plan)
    scene.run()
    assert scene.lines("episode", "act") == []
    assert {line["episode"] for line in scene.lines("reading")} == {""}
