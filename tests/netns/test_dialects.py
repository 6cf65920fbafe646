"""Units that speak MQTT otherwise than the published ones: every kind that a dialect can have is played, labelled and accounted for."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.netns.observe import disagreements, marked, play

from coldaisle_analysis import dataset
from coldaisle_analysis.truth import ledger
from coldaisle_analysis.truth.readings import Account
from coldaisle_contracts.addressing import BROKER, INJECTOR
from coldaisle_contracts.demands import playable
from coldaisle_contracts.kinds import SHIPPED
from coldaisle_contracts.plan import Plan
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import Scenario
from coldaisle_testbed.obedience.observed import fields

pytestmark = pytest.mark.netns
UNITS, INTERVAL_S, APART = 4, 60, 12
"""Units of each dialect, time between two readings in s, and slots from one episode on a unit to the next."""
DIALECTS: dict[str, dict[str, Any]] = {
    "most-once": {"qos": 0},
    "once": {"qos": 2},
    "five": {"version": "5"},
    "five-once": {"version": "5", "qos": 2, "topic_alias": True},
    "kept": {
        "version": "3.1.1",
        "retain": True,
        "keepalive_s": 900,
        "clean_session": False,
        "will": "offline",
    },
    "five-kept": {
        "version": "5",
        "qos": 0,
        "clean_session": False,
        "session_expiry_s": 600,
        "topic_alias": True,
        "will": "offline",
    },
}
"""Keys of each group, by the stem of its units' names."""


def _scenario(episodes: list[dict[str, Any]]) -> Scenario:
    devices = [
        {"name": stem + "-{number}", "count": UNITS, "address": 100 + 10 * place, "client": f"d{place}u{{number}}s{{sensor}}", **keys}
        for place, (stem, keys) in enumerate(DIALECTS.items())
    ]  # fmt: skip
    slots = max([APART, *(episode["slot"] + APART for episode in episodes)])
    return Scenario.model_validate(
        {
            "name": "dialects", "seed": 11, "first_day": "2026-03-02", "time_zone": "UTC", "duration_h": slots * INTERVAL_S / 3600,
            "interval_s": INTERVAL_S, "site": {"devices": devices},
            "episodes": [{key: value for key, value in episode.items() if key != "slot"} for episode in episodes],
        }
    )  # fmt: skip


def _variants(scenario: Scenario, place: int, unit: str) -> list[tuple[str, str]]:
    """Return a variant of each kind that attacks a unit, another for each dialect, and all that change a field of MQTT."""
    chosen = list[tuple[str, str]]()
    for kind, row in SHIPPED.items():
        if row.target == "unit":
            able = playable(scenario, kind, unit)
            if not able:  # it needs TLS
                continue
            first = able[place % len(able)]
            fields = [name for name in able if name.startswith("mqtt.") and name != first]
            chosen += [(kind, variant) for variant in (first, *fields)]
    return chosen


def _episodes() -> list[dict[str, Any]]:
    """Return the episodes of each dialect, on its units in turn, and a subscriber to everything while connections break."""
    every, empty = list[dict[str, Any]](), _scenario([])
    for number, stem in enumerate(DIALECTS):
        taken = Counter[str]()
        for place, (kind, variant) in enumerate(_variants(empty, number, f"{stem}-1")):
            unit = f"{stem}-{place % UNITS + 1}"
            slot = 8 + APART * taken[unit]
            taken[unit] += 1
            every.append(
                {
                    "kind": kind, "variant": variant, "unit": unit, "day": 1, "slot": slot, "start": _clock(slot),
                    "readings": 1 if SHIPPED[kind].brief else 4 if kind == "time-forgery" else 2,
                    **({"sensors": [1, 3]} if SHIPPED[kind].picks_sensors else {}),
                }
            )  # fmt: skip
    broken = next(
        episode["slot"]
        for episode in every
        if episode["kind"] == "reset" and episode["unit"].startswith("kept")
    )
    listens = {
        "kind": "eavesdropping",
        "day": 1,
        "slot": broken - 1,
        "start": _clock(broken - 1),
        "readings": 4,
    }
    return [*every, listens]


def _clock(slot: int) -> str:
    return f"{slot * INTERVAL_S // 3600:02}:{slot * INTERVAL_S // 60 % 60:02}:00"


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Plan, Path, Account]:
    """A run with every kind on every dialect."""
    plan = build_plan(_scenario(_episodes()))
    stage = tmp_path_factory.mktemp("dialects") / "run"
    return plan, stage, play(plan, stage)


def test_the_ledger_settles(played: tuple[Plan, Path, Account]) -> None:
    """Every reading has one fate, every act was played, and every frame is explained."""
    plan, stage, account = played
    assert len(account.readings) == len(DIALECTS) * UNITS * 4 * plan.scenario.slots
    assert ledger.check(stage, account) == []
    assert set(account.evidence.sealed["kernel_drops"]) == {0}


def test_the_witness_agrees(played: tuple[Plan, Path, Account]) -> None:
    """The label of every frame is found a second way."""
    _, _, account = played
    assert disagreements(account) == []


def test_every_episode_left_labels(played: tuple[Plan, Path, Account]) -> None:
    """Each episode has frames of its own, whatever dialect its unit speaks; a sensor that takes no reading has none to show."""
    plan, _, account = played
    assert marked(account) >= {episode.id for episode in plan.episodes if episode.kind != "dropping-sensor"}


FIELDS = (
    "ip.src", "ip.dst", "mqtt.msgtype", "mqtt.qos", "mqtt.retain", "mqtt.ver", "mqtt.conflag.cleansess", "mqtt.conflag.willflag",
    "mqtt.kalive", "mqtt.topic_len", "mqtt.topic", "mqtt.property_id", "mqtt.prop_number",
)  # fmt: skip
CONNECT, PUBLISH, PUBREL = "1", "3", "6"


def test_units_speak_their_dialects(played: tuple[Plan, Path, Account]) -> None:
    """Tshark finds in the capture what each group says: version, flags of CONNECT and PUBLISH, handshakes, aliases and a will."""
    plan, stage, _ = played
    (path,) = (stage / "capture").glob("*.pcap")
    groups = {unit.host.ip: name.rpartition("-")[0] for name, unit in plan.units.items()}
    least, frames = UNITS * 4 * (plan.scenario.slots - 20), Counter[tuple[str, ...]]()
    wills = 0
    for source, target, kind, *more in fields(path, "mqtt", *FIELDS):
        qos, retain, version, clean, will, keepalive, length, topic, properties, numbers = more
        wills += (source, target, kind, topic) == (BROKER.ip, INJECTOR.ip, PUBLISH, "IoT/status")
        if source not in groups:
            continue
        group = groups[source]
        if kind == PUBLISH:
            frames[group, "publish", qos, _flag(retain), _flag(length == "0")] += 1
        elif kind == PUBREL:
            frames[group, "pubrel"] += 1
        elif kind == CONNECT:
            kept = numbers if "0x11" in properties else ""
            frames[group, "connect", version, _flag(clean), _flag(will), keepalive, kept] += 1
    for stem, keys in DIALECTS.items():
        level = {"3.1": "3", "3.1.1": "4", "5": "5"}[keys.get("version", "3.1")]
        flags = _flag(keys.get("clean_session", True)), _flag("will" in keys)
        times = str(keys.get("keepalive_s", 3600)), str(keys.get("session_expiry_s", ""))
        qos, retain, alias = (
            str(keys.get("qos", 1)),
            _flag(keys.get("retain")),
            _flag(keys.get("topic_alias")),
        )
        assert frames[stem, "connect", level, *flags, *times] >= UNITS * 4
        assert {key[2:5] for key in frames if key[:2] == (stem, "connect")} == {(level, *flags)}
        assert frames[stem, "publish", qos, retain, alias] > least
        assert (frames[stem, "pubrel"] > least) == (qos == "2")
    assert wills > 0


def _flag(value: object) -> str:
    """Return a flag, which versions of tshark write in several ways, as 0 or 1."""
    return str(int(value in (True, "1", "True")))


def test_the_dataset_has_every_reading(played: tuple[Plan, Path, Account]) -> None:
    """Level readings has a value for every reading that was not removed, however its unit speaks, also where an alias stands for the topic."""
    _, stage, account = played
    readings = dataset.build(stage, account).readings
    removed = readings["fate"].astype(str) == "removed"
    assert (readings["value_received"].notna() == ~removed).all()
    assert removed.sum() == len(DIALECTS) * 2 * 4
