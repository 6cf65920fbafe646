"""What the witness makes of refusals: each explains one connection of the unit attacked that the capture does not have."""

from collections import defaultdict

import pytest

from coldaisle_analysis.witness.broken import Refusals
from coldaisle_analysis.witness.journals import Journals, Line
from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import Scenario

EPISODE = {"kind": "interception", "unit": "inrow-13", "day": 1, "start": "00:30", "readings": 1}
BASE = {"name": "made", "seed": 1, "first_day": "2026-03-02", "time_zone": "UTC", "duration_h": 1}


@pytest.fixture
def refusals() -> Refusals:
    """One refusal of a connection from port 40,001 of inrow-13, at 100 s."""
    plan = build_plan(Scenario.model_validate({**BASE, "episodes": [EPISODE]}))
    line = {
        "event": "refuse",
        "episode": plan.episodes[0].id,
        "port": 40_001,
        "at_ns": 100 * SECOND,
        "line": 7,
    }
    return Refusals(Journals(plan, attacker=defaultdict(list, {"day-1": [line]})), "day-1")


def _opened(port: int, at_s: int) -> Line:
    return {"port": port, "at_ns": at_s * SECOND}


def test_a_refusal_explains_one_connection(refusals: Refusals) -> None:
    """It is that of the unit, the port and the time; a second one with the same port is not explained."""
    assert refusals.take("inrow-13", _opened(40_001, 99))
    assert not refusals.take("inrow-13", _opened(40_001, 99))
    assert refusals.close() == []


@pytest.mark.parametrize(
    ("unit", "port", "at_s"),
    [("inrow-15", 40_001, 99), ("inrow-13", 40_002, 99), ("inrow-13", 40_001, 101), ("inrow-13", 40_001, 90)],
    ids=["another unit", "another port", "later", "too early"],
)
def test_a_refusal_of_no_connection_is_doubted(refusals: Refusals, unit: str, port: int, at_s: int) -> None:
    """Where nothing fits, the line of the attacker's journal is named."""
    assert not refusals.take(unit, _opened(port, at_s))
    (doubt,) = refusals.close()
    assert doubt.where == "journal/injector.jsonl: line 7"
    assert "refuses a connection from port 40001" in doubt.reason
