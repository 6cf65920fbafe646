"""Units that speak MQTT otherwise than the published ones: every kind that a dialect can have is played, labelled and accounted for."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from coldaisle_analysis import dataset, witness
from coldaisle_analysis.truth import ledger
from coldaisle_analysis.truth.readings import Account, settle
from coldaisle_contracts.addressing import BROKER, INJECTOR
from coldaisle_contracts.demands import playable
from coldaisle_contracts.kinds import SHIPPED
from coldaisle_contracts.plan import Plan
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import Scenario
from coldaisle_testbed import shard_folders, sharding
from coldaisle_testbed.obedience.observed import count

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
    shard_folders.prepare(stage, plan)
    sharding.play(plan, stage, 1, lambda _: None)
    return plan, stage, settle(stage)


def test_the_ledger_settles(played: tuple[Plan, Path, Account]) -> None:
    """Every reading has one fate, every act was played, and every frame is explained."""
    plan, stage, account = played
    assert len(account.readings) == len(DIALECTS) * UNITS * 4 * plan.scenario.slots
    assert ledger.check(stage, account) == []
    assert set(account.evidence.sealed["kernel_drops"]) == {0}


def test_the_witness_agrees(played: tuple[Plan, Path, Account]) -> None:
    """The label of every frame is found a second way."""
    _, stage, account = played
    table = account.join.table
    rows = zip(table["label"], table["benign"], table["episode"], strict=True)
    labels = [witness.Verdict(int(a), int(b), episode if a or b else "") for a, b, episode in rows]
    assert list(witness.differences(witness.testify(stage), labels)) == []


def test_every_episode_left_labels(played: tuple[Plan, Path, Account]) -> None:
    """Each episode has frames of its own, whatever dialect its unit speaks; a sensor that takes no reading has none to show."""
    plan, _, account = played
    table = account.join.table
    marked = set(table["episode"][(table["label"] == 1) | (table["benign"] == 1)])
    assert marked >= {episode.id for episode in plan.episodes if episode.kind != "dropping-sensor"}


def test_units_speak_their_dialects(played: tuple[Plan, Path, Account]) -> None:
    """Tshark finds in the capture what each group says: version, flags of CONNECT and PUBLISH, handshakes, aliases and a will."""
    plan, stage, _ = played
    (path,) = (stage / "capture").glob("*.pcap")
    least = UNITS * 4 * (plan.scenario.slots - 20)

    def said(stem: str, what: str) -> int:
        hosts = " || ".join(
            f"ip.src == {unit.host.ip}"
            for name, unit in plan.units.items()
            if name.rstrip("1234") == f"{stem}-"
        )
        return count(path, f"({hosts}) && {what}")

    readings = "mqtt.msgtype == 3 && mqtt.qos == {}"
    assert said("most-once", readings.format(0)) > least
    assert said("most-once", "mqtt.qos > 0") == 0
    assert min(said(stem, readings.format(2)) for stem in ("once", "five-once")) > least
    assert min(said(stem, "mqtt.msgtype == 6") for stem in ("once", "five-once")) > least
    connects = "mqtt.msgtype == 1 && mqtt.ver == {}"
    for stem, keys in DIALECTS.items():
        level = {"3.1": 3, "3.1.1": 4, "5": 5}[keys.get("version", "3.1")]
        flags = f"mqtt.conflag.cleansess == {int(keys.get('clean_session', True))} && mqtt.conflag.willflag == {int('will' in keys)}"
        every = said(stem, "mqtt.msgtype == 1")
        assert every >= UNITS * 4
        assert said(stem, f"{connects.format(level)} && {flags}") == every
    assert said("kept", f"{readings.format(1)} && mqtt.retain == 1") > least
    assert said("kept", "mqtt.msgtype == 1 && mqtt.kalive == 900") > UNITS * 4 - 1
    assert said("five-once", "mqtt.msgtype == 3 && mqtt.topic_len == 0 && mqtt.property_id == 0x23") > least
    assert said("five-kept", "mqtt.msgtype == 1 && mqtt.property_id == 0x11 && mqtt.prop_number == 600") > 0
    will = f'ip.src == {BROKER.ip} && ip.dst == {INJECTOR.ip} && mqtt.topic == "IoT/status"'
    assert count(path, will) > 0


def test_the_dataset_has_every_reading(played: tuple[Plan, Path, Account]) -> None:
    """Level readings has a value for every reading that was not removed, however its unit speaks, also where an alias stands for the topic."""
    _, stage, account = played
    readings = dataset.build(stage, account).readings
    removed = readings["fate"].astype(str) == "removed"
    assert (readings["value_received"].notna() == ~removed).all()
    assert removed.sum() == len(DIALECTS) * 2 * 4
