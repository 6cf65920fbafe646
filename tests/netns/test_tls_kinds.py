"""Attacks on TLS, each played alone on encrypted units: every rule of every kind holds, and the attack does what its section says."""

from dataclasses import replace
from pathlib import Path

import pytest

from coldaisle_analysis.truth import ledger
from coldaisle_analysis.truth.readings import Account, settle
from coldaisle_contracts.dialects import FALLBACK_AFTER
from coldaisle_contracts.kinds import SHIPPED
from coldaisle_testbed.obedience import trial

pytestmark = pytest.mark.netns


def _played(kind: str, folder: Path) -> Account:
    """Hold a kind to the rules in a run of its own, which is verified, and return the account of that run."""
    assert list(trial.problems(SHIPPED[kind], folder, 5)) == []
    return settle(folder / kind)


@pytest.fixture(scope="module")
def downgraded(tmp_path_factory: pytest.TempPathFactory) -> Account:
    """The account of a run with a downgrade of two sensors for four readings."""
    return _played("downgrade", tmp_path_factory.mktemp("downgrade"))


def test_exactly_the_readings_attacked_come_in_plaintext(downgraded: Account) -> None:
    """The readings of the episode pass port 1883, are consequences of it and are delivered; all others pass port 8883."""
    (episode,) = downgraded.evidence.plan.episodes
    readings = downgraded.readings
    packets = downgraded.evidence.trace.packets
    port = packets["tcp_dstport"].iloc[readings["row"]].to_numpy("int64")
    slots = range(episode.onset, episode.onset + episode.readings)
    attacked = (readings["unit"] == episode.unit) & readings["slot"].isin(slots)
    attacked &= readings["sensor"].isin(episode.sensors)
    assert attacked.sum() == 8
    assert (port[attacked] == 1883).all()
    assert (port[~attacked] == 8883).all()
    assert set(readings["fate"]) == {"delivered"}
    assert (readings["label"] == attacked).all()
    assert set(readings.loc[attacked, "role"]) == {"consequence"}


def test_the_journals_say_why(downgraded: Account) -> None:
    """Each sensor is refused three times, falls back once, and comes back to TLS; the refusals are not in the capture."""
    connects, sensors = downgraded.evidence.connects, downgraded.evidence.plan.episodes[0].sensors
    assert (connects["reason"] == "fallback").sum() == len(sensors)
    assert (connects["reason"] == "lost").sum() == len(sensors) * (FALLBACK_AFTER + 1)
    assert len(downgraded.evidence.refusals) == len(sensors) * FALLBACK_AFTER
    refused = downgraded.evidence.frames[downgraded.evidence.frames["act"] == "refuse"]
    assert set(refused["side"]) == {"unit"}
    assert len(refused) == len(downgraded.evidence.refusals)


def test_a_refusal_that_nobody_met_is_noticed(downgraded: Account) -> None:
    """The ledger names a refusal of a connection that no unit opened."""
    evidence = replace(downgraded.evidence, refusals=downgraded.evidence.refusals.assign(port=1))
    (problem,) = ledger.check(evidence.run, replace(downgraded, evidence=evidence))
    assert "6 refusals are not of a connection that a unit opened in vain" in problem


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Account:
    """The account of a run in which two sensors are shown a false certificate before four readings."""
    return _played("false-certificate", tmp_path_factory.mktemp("false"))


def test_a_false_certificate_is_refused_as_often_as_it_is_shown(shown: Account) -> None:
    """Before each reading a sensor refuses the attacker's certificate as often as planned, and then reaches the broker; no reading is lost."""
    (episode,) = shown.evidence.plan.episodes
    connects, count = shown.evidence.connects, round(episode.parameters["count"])
    of_unit = connects[connects["host"] == episode.unit]
    assert (of_unit["reason"] == "lost").sum() == len(episode.acts) == 8
    assert (of_unit["reason"] == "certificate").sum() == len(episode.acts) * count
    assert len(shown.evidence.refusals) == len(episode.acts) * count
    assert set(shown.readings["fate"]) == {"delivered"}
    said = shown.evidence.frames[shown.evidence.frames["act"] == "impersonate"]
    assert set(said["side"]) == {"unit"}
    assert len(said) >= 3 * len(shown.evidence.refusals)
