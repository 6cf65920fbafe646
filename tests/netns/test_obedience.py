"""Every kind in the catalogue keeps the same rules, whoever wrote it.

The checks follow from the taxonomy alone: a new row is checked without a change in this file.
"""

import importlib.util
import re
from collections import Counter
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from tests.netns.catalogue import PLAN, UNITS, scenario
from tests.netns.observe import count, frames_of, numbers

from coldaisle_contracts.addressing import BROKER, INJECTOR
from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.journal import frame_digest, read_journal
from coldaisle_contracts.kinds import KINDS
from coldaisle_contracts.plan import Act, Episode
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import EpisodeSpec
from coldaisle_contracts.taxonomy import Kind, Parameter

PACKAGES = {"injector": "coldaisle_injector.attacks", "unit": "coldaisle_sensors.anomalies"}
DOCS = Path(__file__).parents[2] / "docs" / "attacks.md"
KINDS_PARAMETRISED = pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))


def _of(kind: Kind) -> list[Episode]:
    return [episode for episode in PLAN.episodes if episode.kind == kind.name]


# -- what the taxonomy and the plan alone show --------------------------------------------------------------------------


@KINDS_PARAMETRISED
def test_it_has_a_module(kind: Kind) -> None:
    """One module plays the kind: the injector's or the unit's."""
    assert importlib.util.find_spec(f"{PACKAGES[kind.actor]}.{kind.module}") is not None


@KINDS_PARAMETRISED
def test_it_is_documented(kind: Kind) -> None:
    """docs/attacks.md has a section for the kind."""
    assert re.search(rf"^### `{kind.name}`", DOCS.read_text(encoding="utf-8"), re.MULTILINE)


@KINDS_PARAMETRISED
def test_seeded_twice_it_does_the_same(kind: Kind) -> None:
    """The plan of its episodes is a function of the seed alone."""
    again = {episode.id: episode for episode in build_plan(scenario()).episodes}
    other = {episode.id: episode for episode in build_plan(scenario(12)).episodes}
    for episode in _of(kind):
        assert again[episode.id] == episode
        assert other[episode.id].seed != episode.seed


@KINDS_PARAMETRISED
def test_its_acts_lie_within_the_episode(kind: Kind) -> None:
    """No act is planned before the episode's approach, after its end or on another sensor, and each has a bound."""
    for episode in _of(kind):
        assert episode.approach_ns <= episode.begin_ns < episode.end_ns
        for act in episode.acts:
            assert act.slot in range(episode.onset, episode.onset + episode.readings)
            assert act.sensor in (0, *episode.sensors)
            assert all(episode.approach_ns <= at <= episode.end_ns for at in act.times_ns)
        assert 0 < episode.packets < 20_000
        assert 0 <= episode.cost_s < 60


def _parameters() -> list[tuple[Kind, Parameter]]:
    return [(kind, row) for kind in KINDS.values() for row in kind.parameters]


@pytest.mark.parametrize(
    ("kind", "row"),
    _parameters(),
    ids=[f"{kind.name}-{row.name}-{'-'.join(row.variants)}" for kind, row in _parameters()],
)
def test_parameter_out_of_bounds_is_refused(kind: Kind, row: Parameter) -> None:
    """A value above the most or below the least is refused in a sentence with both."""
    base: dict[str, Any] = {"kind": kind.name, "day": 1, "start": "01:00", "readings": 1}
    base |= {"unit": UNITS[0]} if kind.target == "unit" else {}
    base |= {"variant": row.variants[0]} if row.variants else {}
    for value in (row.most * 1.01 + 1, row.least - abs(row.least) * 0.01 - 1):
        with pytest.raises(ValidationError, match=re.escape(f"give {row.least:g} to {row.most:g}")):
            EpisodeSpec.model_validate(base | {row.name: value})


# -- what a real run shows ----------------------------------------------------------------------------------------------


class Played:
    """A real run of every variant of every kind: its journals and raw captures, read without any code of the analysis."""

    def __init__(self, run: Path) -> None:
        self.captures = {
            path.stem.rpartition("-")[0]: path for path in (run / "capture" / "raw").glob("*.pcap")
        }
        self.injector = list(read_journal(run / "journal" / "injector.jsonl"))
        self.units = {unit: list(read_journal(run / "journal" / f"{unit}.jsonl")) for unit in UNITS}
        self.frames = {shard: frames_of(path) for shard, path in self.captures.items()}

    def lines(self, episode: Episode, event: str) -> list[dict[str, Any]]:
        """Return an episode's lines of an event, from the journal of the program that plays it."""
        journal = self.injector if episode.row.actor == "injector" else self.units[episode.unit]
        return [line for line in journal if line["event"] == event and line.get("episode") == episode.id]


@pytest.fixture(scope="session")
def played(catalogue_run: Path) -> Played:
    """A real run of every variant of every kind."""
    return Played(catalogue_run)


def _journalled(kind: Kind, act: Act) -> list[str]:
    """Return the operations that the journal should hold for a planned act."""
    match act.operation:
        case "copy":
            return ["copy"] * len(act.times_ns)
        case "hold":
            return ["hold", "release"]
        case operation:
            return ["modify" if kind.edit == "modify" else operation]


@pytest.mark.netns
@KINDS_PARAMETRISED
def test_what_it_did_is_what_was_planned(kind: Kind, played: Played) -> None:
    """The journal has every planned act once and no other; an unchanged value needs no line."""
    for episode in _of(kind):
        expected = Counter(
            (act.slot, act.sensor, name) for act in episode.acts for name in _journalled(kind, act)
        )
        done = Counter(
            (line["slot"], line["sensor"], line["operation"]) for line in played.lines(episode, "act")
        )
        assert done - expected == Counter()
        assert {name for _, _, name in expected - done} <= {"modify"}


@pytest.mark.netns
@KINDS_PARAMETRISED
def test_its_acts_are_bracketed_by_begin_and_end(kind: Kind, played: Played) -> None:
    """The journal has begin and end of the episode, and every act lies between them and on its target."""
    for episode in _of(kind):
        phases = {line["phase"]: line["at_ns"] for line in played.lines(episode, "episode")}
        assert {"begin", "end"} <= set(phases)
        for line in played.lines(episode, "act"):
            assert phases["begin"] <= line["at_ns"] <= phases["end"]
            assert line["unit"] == episode.unit


@pytest.mark.netns
@KINDS_PARAMETRISED
def test_it_keeps_to_its_time_and_its_budget(kind: Kind, played: Played) -> None:
    """Its frames lie between approach and end and within its budget; only frames for poisoned caches may come later."""
    for episode in _of(kind):
        frames = [line for line in played.lines(episode, "frame") if line["anomalous"]]
        lines = [line for line in frames if line["role"] in ("injected", "duplicate", "delayed")]
        assert len(lines) <= episode.packets
        for line in frames:
            if line["act"] not in ("poison", "restore", "reply"):
                assert episode.approach_ns <= line["at_ns"] <= episode.end_ns + 2 * SECOND, line


@pytest.mark.netns
@KINDS_PARAMETRISED
def test_it_leaves_a_trace_its_display_filter_finds(kind: Kind, played: Played) -> None:
    """For every variant the documented display filter finds frames of the episode."""
    for episode in _of(kind):
        shard = f"day-{episode.onset // 288 + 1}"
        frames = numbers(played.captures[shard], kind.filter)
        if kind.actor == "unit":
            assert frames, episode.variant
            continue
        digests = {line["digest"] for line in played.lines(episode, "frame") if line["side"] == "broker"}
        assert any(frame_digest(played.frames[shard][number - 1]) in digests for number in frames), (
            episode.variant
        )


@pytest.mark.netns
@KINDS_PARAMETRISED
def test_it_restores_what_it_changed(kind: Kind, played: Played) -> None:
    """The last frame about a poisoned cache restores it."""
    for episode in _of(kind):
        if kind.on_path:
            path = [
                line
                for line in played.injector
                if line["event"] == "frame"
                and line["act"] in ("poison", "restore")
                and _unit_of(line) == episode.unit
            ]
            assert path[-1]["act"] == "restore"


@pytest.mark.netns
def test_it_leaves_no_connection_open(played: Played) -> None:
    """The attacker's host closes or resets every connection that it opened."""
    opened, closed = (
        sum(count(path, f"{which} && ip.src == {INJECTOR.ip}") for path in played.captures.values())
        for which in ("mqtt.msgtype == 1", "(tcp.flags.fin == 1 || tcp.flags.reset == 1)")
    )
    assert closed >= opened > 0


def _unit_of(line: dict[str, Any]) -> str:
    return next(episode.unit for episode in PLAN.episodes if episode.id == line["episode"])


@pytest.mark.netns
def test_every_frame_of_the_attacker_is_in_its_journal_and_the_other_way_round(played: Played) -> None:
    """On the broker's side, capture and journal have the same frames of the attacker, equally often."""
    ours, address = bytes.fromhex(INJECTOR.mac.replace(":", "")), IPv4Address(INJECTOR.ip).packed
    counts = Counter(
        (shard, frame_digest(frame))
        for shard, frames in played.frames.items()
        for frame in frames
        if ours in (frame[:6], frame[6:12]) or (frame[12:14] == b"\x08\x06" and frame[38:42] == address)
    )
    noted = Counter(
        (line["shard"], line["digest"])
        for line in played.injector
        if line["event"] == "frame" and line["side"] == "broker"
    )
    assert counts - noted == Counter()
    assert noted - counts == Counter()


@pytest.mark.netns
def test_nobody_else_is_spoken_to(played: Played) -> None:
    """Every frame is between hosts of the plan: the attacker sends only to units and broker."""
    network = "198.18.0.0/20"
    for path in played.captures.values():
        assert count(path, f"ip && !(ip.src == {network} && ip.dst == {network})") == 0
        assert count(path, "ipv6") == 0
        strangers = f"ip && eth.src == {INJECTOR.mac} && !(ip.dst == {BROKER.ip})"
        assert count(path, strangers) == 0


@pytest.mark.netns
def test_no_reading_is_lost_to_its_sensor(played: Played) -> None:
    """With any kind, every unit takes every reading and gets its acknowledgement."""
    for unit in UNITS:
        readings = [line for line in played.units[unit] if line["event"] == "reading"]
        assert len({(line["client"], line["slot"]) for line in readings}) == PLAN.scenario.slots * 4
        assert len(readings) == PLAN.scenario.slots * 4
