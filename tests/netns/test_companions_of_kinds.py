"""Companions that burst, speak Sparkplug B and replay a file, beside units of which one is attacked: all of it is accounted for."""

from pathlib import Path

import pytest
from tests.netns.observe import disagreements, play

from coldaisle_analysis import dataset
from coldaisle_analysis.features.packets import BYTES
from coldaisle_analysis.series.payloads import Payloads
from coldaisle_analysis.truth import ledger
from coldaisle_analysis.truth.readings import Account
from coldaisle_contracts.journal import read_journal
from coldaisle_contracts.plan import Plan
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import load_scenario

pytestmark = pytest.mark.netns
SCENARIO = """
name = "kinds"
seed = 11
first_day = 2026-03-02
time_zone = "UTC"
duration_h = 1

[[site.devices]]
number = 13
address = 41
count = 2

[[site.devices]]
kind = "vibration-sensor"
address = 100
interval_s = 1200
windows = 6

[[site.devices]]
kind = "sparkplug-node"
address = 110
interval_s = 120

[[site.devices]]
kind = "replay"
address = 120
records = "pump.csv"
qos = 2

[[episodes]]
kind = "modification"
variant = "shift"
unit = "inrow-13"
day = 1
start = 00:10:00
readings = 2

[[episodes]]
kind = "interception"
unit = "inrow-14"
day = 1
start = 00:40:00
readings = 2
"""
ROWS = [(0, "2.41"), (90, "2.38"), (90, "2.39"), (1800.5, "off"), (7200, "never")]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Plan, Path, Account]:
    """An hour with three kinds of companions and two attacks on units; the CSV file is gone before it is played."""
    folder = tmp_path_factory.mktemp("kinds")
    (folder / "pump.csv").write_text(
        "offset_s,value\n" + "".join(f"{offset},{value}\n" for offset, value in ROWS), encoding="utf-8"
    )
    (folder / "kinds.toml").write_text(SCENARIO, encoding="utf-8")
    plan = build_plan(load_scenario(folder / "kinds.toml"))
    (folder / "pump.csv").unlink()
    stage = folder / "run"
    return plan, stage, play(plan, stage)


def _topics(stage: Path, name: str) -> list[str]:
    return [
        line["topic"]
        for line in read_journal(stage / "journal" / f"{name}.jsonl")
        if line["event"] == "message"
    ]


def test_every_companion_published_what_it_should(played: tuple[Plan, Path, Account]) -> None:
    """Bursts are whole, the node lives a session from birth to death, and records within the run are published once."""
    _, stage, _ = played
    assert len(_topics(stage, "vibration-sensor-1")) == 3 * 6
    types = [topic.split("/")[2] for topic in _topics(stage, "sparkplug-node-1")]
    assert types == ["NBIRTH", *["NDATA"] * 30, "NDEATH"]
    assert _topics(stage, "replay-1") == ["replay/1"] * 4


def test_the_capture_has_their_payloads(played: tuple[Plan, Path, Account]) -> None:
    """The values in the capture are those of the file, and the analysis names the metrics of the node and the fields of the sensor."""
    _, _, account = played
    messages = account.evidence.trace.messages
    messages = messages[messages["topic"].notna() & messages["payload"].notna()]
    reader, fields, replayed = Payloads(), set[tuple[str, str]](), list[str]()
    for topic, payload in zip(messages["topic"], messages["payload"], strict=True):
        if topic == "replay/1":
            replayed.append(payload)
        found = reader.read(topic, payload.encode(BYTES))
        fields |= {(found.form, number.field) for number in found.numbers}
    assert replayed == ["2.41", "2.38", "2.39", "off"]
    assert {("Sparkplug B", "Water/Flow"), ("Sparkplug B", "Pump/Speed"), ("CBOR", "rms")} <= fields


def test_labels_are_exact(played: tuple[Plan, Path, Account]) -> None:
    """The ledger settles, precision and recall are 1, the frames of companions are normal, and the witness finds every label a second way."""
    plan, stage, account = played
    dataset.write(dataset.build(stage, account), stage / "dataset")
    assert ledger.check(stage, account) == []
    proof = ledger.prove(stage, account)
    assert (proof.precision, proof.recall, proof.unexplained) == (1.0, 1.0, 0)
    assert account.counts()["kernel_drops"] == 0
    table, packets = account.join.table, account.evidence.trace.packets
    assert set(table["episode"][table["label"] == 1]) == {episode.id for episode in plan.episodes}
    addresses = {companion.host.ip for companion in plan.companions.values()}
    assert table["label"][packets["ip_src"].astype("str").isin(addresses)].sum() == 0
    assert disagreements(account) == []
