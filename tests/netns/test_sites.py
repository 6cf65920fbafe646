"""A site of its own: other names, addresses beyond the first 254, other client ids, more units; every promise holds as for the published one."""

from pathlib import Path
from typing import Any

import pytest
from tests.netns.observe import disagreements, marked, play

from coldaisle_analysis import dataset
from coldaisle_analysis.truth import ledger
from coldaisle_analysis.truth.readings import Account
from coldaisle_contracts.plan import Plan
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import Scenario
from coldaisle_testbed.obedience.observed import count

pytestmark = pytest.mark.netns
SITE = {
    "devices": [
        {"name": "crah-{number:02}", "count": 20, "address": 250, "client": "w{number:02}s{sensor}", "spread": 0.4},
        {"name": "rack-{number}", "number": 7, "count": 4, "address": 2000, "client": "RACK{number}n{sensor}",
         "topic": "hall/rack-{number}/{sensor}", "payload": '{"celsius": {value}, "ok": true}', "version": "3.1.1"},
    ]
}  # fmt: skip
"""Two groups: addresses of the first go on beyond 198.18.0.255; the second has a topic for each sensor, and payloads in JSON."""


def _episode(
    kind: str, unit: str = "", start: str = "00:10", readings: int = 2, **more: Any
) -> dict[str, Any]:
    return {
        "kind": kind,
        "day": 1,
        "start": start,
        "readings": readings,
        **({"unit": unit} if unit else {}),
        **more,
    }


EPISODES = [
    _episode("modification", "crah-01", variant="shift", sensors=[1, 4]),
    _episode("removal", "crah-09"),
    _episode("duplication", "rack-7", variant="once"),
    _episode("modification", "rack-9", variant="scale", sensors=[2]),
    _episode("delay", "rack-7", start="00:40", readings=1, delay_s=100),
    _episode("false-data", "rack-9", start="00:40", readings=1),
    _episode("will-abuse", start="00:15", readings=1),
    _episode("retained-poisoning", start="00:30", readings=2),
    _episode("takeover", "rack-10", readings=1, sensors=[2]),
    _episode("false-data", "crah-20", readings=1),
    _episode("tampering", "crah-05", readings=1, variant="eth.dst", sensors=[3], value=2000),
    _episode("reset", "crah-07", readings=1, sensors=[1]),
    _episode("reboot", "rack-8", readings=1),
    _episode("time-forgery", "crah-06", start="00:20", readings=1),
    _episode("port-scan", start="00:50", readings=1),
    _episode("appliance", "crah-12"),
]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Plan, Path, Account]:
    """An hour of the site with attacks of every family and two benign anomalies."""
    plan = build_plan(
        Scenario.model_validate(
            {
                "name": "site", "seed": 5, "first_day": "2026-03-02", "time_zone": "UTC", "duration_h": 1,
                "site": SITE, "episodes": EPISODES,
            }
        )
    )  # fmt: skip
    stage = tmp_path_factory.mktemp("site") / "run"
    return plan, stage, play(plan, stage)


def test_the_ledger_settles(played: tuple[Plan, Path, Account]) -> None:
    """Every reading of 96 sensors has one fate, every act was played, and every frame is explained."""
    plan, stage, account = played
    assert len(plan.units) == 24
    assert len(account.readings) == 24 * 4 * plan.scenario.slots
    assert ledger.check(stage, account) == []


def test_the_witness_agrees(played: tuple[Plan, Path, Account]) -> None:
    """The label of every frame is found a second way."""
    _, _, account = played
    assert disagreements(account) == []


def test_every_episode_left_labels(played: tuple[Plan, Path, Account]) -> None:
    """Each episode has frames of its own, and only hosts of the site speak."""
    plan, stage, account = played
    assert marked(account) == {episode.id for episode in plan.episodes}
    for path in (stage / "capture").glob("*.pcap"):
        assert count(path, "ip && !(ip.addr == 198.18.0.0/20)") == 0


def test_units_speak_as_the_site_says(played: tuple[Plan, Path, Account]) -> None:
    """Topics and payloads on the wire are those of the site's patterns, also in the frames that the attacker forged or changed."""
    _, stage, _ = played
    (path,) = (stage / "capture").glob("*.pcap")
    rack = 'mqtt.msgtype == 3 && mqtt.topic matches "^hall/rack-"'
    assert count(path, rack) > 4 * 4 * 11
    assert count(path, f'{rack} && !(mqtt.msg contains "celsius")') == 0
    plain = 'mqtt.msgtype == 3 && mqtt.topic == "IoT"'
    assert count(path, f'{plain} && mqtt.msg contains "celsius"') == 0
    assert count(path, plain) > 20 * 4 * 11
    connects = 'mqtt.msgtype == 1 && mqtt.clientid matches "^{}" && mqtt.ver == {}'
    assert [count(path, connects.format("RACK", version)) > 15 for version in (3, 4)] == [False, True]
    assert [count(path, connects.format("w", version)) > 79 for version in (3, 4)] == [True, False]


def test_the_dataset_names_units_and_addresses(played: tuple[Plan, Path, Account]) -> None:
    """Level readings has the names of the site's units and sensors; the changed readings are those of the plan."""
    plan, stage, account = played
    readings = dataset.build(stage, account).readings
    assert set(readings["unit"].astype(str)) == set(plan.units)
    assert {"w01s1", "RACK10n4"} <= set(readings["client_id"].astype(str))
    modified = readings[readings["fate"].astype(str) == "modified"]
    assert set(modified["client_id"].astype(str)) == {"w01s1", "w01s4", "RACK9n2"}
    changed = modified["value_received"] != modified["value_sent"]
    assert changed.all()
    assert (
        readings["value_received"].notna().sum() == len(readings) - 4 * 2
    )  # of the unit whose readings are removed
    assert set(plan.units["crah-06"].host.ip.split(".")[-2:]) == {"0", "255"}
    assert plan.units["crah-07"].host.ip == "198.18.1.0"
