"""Dashboards, really played: what the broker delivers to subscribers, and what it keeps for them while they are away."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.netns.observe import disagreements, play

from coldaisle_analysis import witness
from coldaisle_analysis.truth import ledger
from coldaisle_analysis.truth.readings import Account
from coldaisle_contracts.absences import absences_ns
from coldaisle_contracts.journal import read_journal
from coldaisle_contracts.plan import Plan
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import Scenario

pytestmark = pytest.mark.netns
AWAY = {"absent_every_h": 1.0, "absent_min": 15.0}
SITE = {
    "devices": [
        {"kind": "inrow", "number": 13, "count": 2, "address": 41},
        {"kind": "dashboard", "address": 180, "filter": "IoT", **AWAY},
        {"kind": "dashboard", "address": 181, "number": 2, "qos": 2, "filter": "#", **AWAY},
        {"kind": "dashboard", "address": 182, "number": 3, "qos": 0, "filter": "IoT", "persistent": False, **AWAY},
    ]
}  # fmt: skip
EPISODES = [
    {"kind": "will-abuse", "day": 1, "start": "00:30", "readings": 2},
    {"kind": "false-data", "unit": "inrow-13", "day": 1, "start": "01:00", "readings": 1},
]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Plan, Path, Account]:
    """Two hours with three dashboards, each away twice, and an attacker whose messages they get, too."""
    scenario = {
        "name": "dash", "seed": 5, "first_day": "2026-03-02", "time_zone": "UTC", "duration_h": 2,
        "site": SITE, "episodes": EPISODES,
    }  # fmt: skip
    plan = build_plan(Scenario.model_validate(scenario))
    stage = tmp_path_factory.mktemp("dash") / "run"
    return plan, stage, play(plan, stage)


def lines(stage: Path, name: str, event: str) -> list[dict[str, Any]]:
    """Return the lines of an event in the journal of a dashboard."""
    return [line for line in read_journal(stage / "journal" / f"{name}.jsonl") if line["event"] == event]


def test_everything_is_accounted_for(played: tuple[Plan, Path, Account]) -> None:
    """Each delivery is a line, follows from a message that the broker got, and both determinations agree on every frame."""
    _, stage, account = played
    assert ledger.check(stage, account) == []
    assert disagreements(account) == []


def test_the_broker_keeps_messages_for_a_lasting_session(played: tuple[Plan, Path, Account]) -> None:
    """With QoS 1 and 2 no reading is missed, however long the dashboard was away; without a lasting session those of the absence are."""
    plan, stage, account = played
    sent = Counter(account.readings["received"])
    for name in ("dashboard-1", "dashboard-2"):
        got = lines(stage, name, "received")
        assert len(got) >= sum(sent.values())
        (first, _) = absences_ns(plan, plan.companions[name], 0)
        assert not [line for line in got if first[0] < line["at_ns"] < first[1]]
    away = absences_ns(plan, plan.companions["dashboard-3"], 0)
    missed = sum(begin < planned < end for begin, end in away for planned in account.readings["planned_ns"])
    assert missed > 0
    assert (
        len(lines(stage, "dashboard-3", "received")) <= len(lines(stage, "dashboard-1", "received")) - missed
    )


def test_absences_are_those_of_the_plan(played: tuple[Plan, Path, Account]) -> None:
    """Each dashboard leaves and comes back within a second of its times, which the seed fixes."""
    plan, stage, _ = played
    for name in ("dashboard-1", "dashboard-2", "dashboard-3"):
        planned = absences_ns(plan, plan.companions[name], 0)
        events = [
            [line["at_ns"] for line in lines(stage, name, event) if line["reason"] == "absence"]
            for event in ("disconnect", "connect")
        ]
        assert len(planned) == 2
        for (leave_ns, return_ns), left, came in zip(planned, *events, strict=True):
            assert max(abs(left - leave_ns), abs(came - return_ns)) < 1e9


def test_a_line_too_few_and_a_message_from_nowhere_are_noticed(
    played: tuple[Plan, Path, Account],
) -> None:
    """A delivery that is in no journal, and one whose message nobody sent, each give a sentence."""
    _, stage, account = played
    journal = stage / "journal" / "dashboard-1.jsonl"
    text = journal.read_text(encoding="utf-8")
    try:
        whole = text.splitlines()
        received = next(at for at, line in enumerate(whole) if json.loads(line)["event"] == "received")
        journal.write_text("\n".join(whole[:received] + whole[received + 1 :]) + "\n", encoding="utf-8")
        assert any("dashboard-1 received a message on IoT" in sentence for sentence in ledger.check(stage))
        assert any("did not record" in str(doubt) for doubt in witness.testify(stage).doubts)
    finally:
        journal.write_text(text, encoding="utf-8")
    trace = account.evidence.trace
    down = trace.packets["ip_dst"].astype("str").iloc[trace.messages["row"]].to_numpy() == "198.18.0.180"
    payload = trace.messages["payload"].astype("object")
    payload[down & trace.messages["msgtype"].eq(3).to_numpy()] = "99.99"
    kept = trace.messages["payload"]
    try:
        trace.messages["payload"] = payload
        found = ledger.check(stage, account)
        assert any("dashboard-1 got" in text and "nobody had published" in text for text in found)
    finally:
        trace.messages["payload"] = kept
