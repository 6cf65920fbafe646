"""Background traffic: real DNS, DHCP, NTP and HTTP beside the units, of which every frame is explained twice and none is an attack's."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.netns.observe import disagreements, play
from tests.netns.office import DIGEST, PLAN

from coldaisle_analysis import dataset, witness
from coldaisle_analysis.truth import ledger
from coldaisle_analysis.truth.readings import Account, semantic_digest
from coldaisle_contracts.background import DHCP_PORT, DNS_PORT, HTTP_PORT, NOWHERE
from coldaisle_contracts.journal import read_journal
from coldaisle_contracts.plan import Plan

pytestmark = pytest.mark.netns


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Plan, Path, Account]:
    """An hour of the published units with two workstations, an attack on a unit, a sweep and two scans."""
    stage = tmp_path_factory.mktemp("office") / "run"
    return PLAN, stage, play(PLAN, stage)


def test_the_ledger_settles(played: tuple[Plan, Path, Account]) -> None:
    """Every frame is explained, every line is in the capture, and nothing was dropped."""
    _, stage, account = played
    assert ledger.check(stage, account) == []
    assert account.counts()["kernel_drops"] == 0
    assert semantic_digest(account) == DIGEST


def test_labels_are_exact(played: tuple[Plan, Path, Account]) -> None:
    """Precision and recall of the labels are 1, and the witness finds each of them a second way."""
    _, stage, account = played
    dataset.write(dataset.build(stage, account), stage / "dataset")
    proof = ledger.prove(stage, account)
    assert (proof.precision, proof.recall, proof.unexplained) == (1.0, 1.0, 0)
    assert disagreements(account) == []


def test_workstations_do_all_four_things(played: tuple[Plan, Path, Account]) -> None:
    """Each workstation gets its address, renews it, looks names up, asks for the time and gets the page, all with answers."""
    plan, stage, _ = played
    for name, host in plan.workstations.items():
        lines = list(read_journal(stage / "journal" / f"{name}.jsonl"))
        leases = [(line["step"], line["answer"]) for line in lines if line["event"] == "lease"]
        assert leases[:2] == [("discover", "offer"), ("request", "ack")]
        assert leases[2:] == [("renew", "ack")] * 5
        lookups = [line for line in lines if line["event"] == "lookup"]
        addresses = {f"{other.name}.aisle.test": other.ip for other in plan.hosts}
        assert 29 <= len(lookups) <= 30
        assert all(line["answer"] == addresses[line["question"]] for line in lookups)
        assert 39 <= len([line for line in lines if line["event"] == "fetch" and line["status"] == 200]) <= 40
        assert 11 <= len([line for line in lines if line["event"] == "time" and "offset_ns" in line]) <= 12
        assert host.ip in {"198.18.0.7", "198.18.0.8"}


def test_their_frames_are_normal(played: tuple[Plan, Path, Account]) -> None:
    """No frame of a workstation is part of an anomaly; an address is asked for without having one."""
    plan, _, account = played
    packets, label = account.evidence.trace.packets, account.join.table["label"]
    stations = {host.mac for host in plan.workstations.values()}
    sent = packets["eth_src"].isin(stations)
    assert label[sent & packets["arp_op"].isna()].sum() == 0
    for ports, service in (("udp_dstport", DNS_PORT), ("udp_dstport", DHCP_PORT), ("tcp_dstport", HTTP_PORT)):
        assert (sent & packets[ports].eq(service).fillna(value=False)).sum() > 0
    assert (packets["ip_src"].astype("str") == NOWHERE).sum() == 4


def retold(stage: Path, folder: Path, event: str, tell: Callable[[str], str]) -> Path:
    """Return a copy of a run in which the first line of an event in a workstation's journal was changed."""
    copy = folder / "run"
    (copy / "journal").mkdir(parents=True)
    for part in ("capture", "plan.json"):
        (copy / part).symlink_to(stage / part)
    for journal in (stage / "journal").iterdir():
        lines = journal.read_text(encoding="utf-8").splitlines(keepends=True)
        if journal.name == "workstation-1.jsonl":
            place = next(place for place, line in enumerate(lines) if f'"event":"{event}"' in line)
            lines[place] = tell(lines[place])
        (copy / "journal" / journal.name).write_text("".join(lines), encoding="utf-8")
    return copy


@pytest.mark.parametrize(
    ("event", "broken"), [("lookup", "DNS"), ("lease", "DHCP"), ("fetch", "HTTP"), ("time", "NTP")]
)
def test_a_line_that_is_missing_is_noticed(
    played: tuple[Plan, Path, Account], tmp_path: Path, event: str, broken: str
) -> None:
    """Without one line of a workstation's journal both ways of accounting say what is wrong."""
    copy = retold(played[1], tmp_path, event, lambda _: "")
    violations = ledger.check(copy)
    assert any(broken in violation for violation in violations), violations
    assert witness.testify(copy).doubts


@pytest.mark.parametrize(
    ("event", "key", "lie"),
    [
        ("lookup", "question", '"elsewhere.aisle.test"'),
        ("lookup", "number", "70000"),
        ("lease", "step", '"renew"'),
        ("lease", "answer", '"nak"'),
        ("fetch", "path", '"/secret.html"'),
        ("fetch", "status", "404"),
    ],
)
def test_the_witness_reads_the_messages(
    played: tuple[Plan, Path, Account], tmp_path: Path, event: str, key: str, lie: str
) -> None:
    """A line that says another name, number, message, page or status than the capture is doubted."""
    copy = retold(
        played[1], tmp_path, event, lambda line: re.sub(rf'"{key}":("[^"]*"|\d+)', f'"{key}":{lie}', line)
    )
    assert witness.testify(copy).doubts
