"""Every check is silent on a table without a flaw, speaks of one that is planted, and survives what it cannot measure."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether
from scapy.packet import Raw
from tests.analysis import made_dataset, made_run
from tests.analysis.audit import made

from coldaisle_analysis import dataset
from coldaisle_analysis.audit import CHECKS, GROUPS, Check, Status
from coldaisle_analysis.audit.check import MOST_EVIDENCE, perform
from coldaisle_analysis.audit.subject import Subject, of_level
from coldaisle_analysis.decoding import captures
from coldaisle_analysis.metadata.croissant import croissant
from coldaisle_analysis.metadata.datasheet import datasheet
from coldaisle_analysis.metadata.facts import Facts
from coldaisle_analysis.truth.readings import settle
from coldaisle_contracts.manifest import Manifest, sha256_of

DOCUMENT = Path(__file__).parents[3] / "docs" / "audit.md"
BY_ID = {check.id: check for check in CHECKS}
NAMES = [check.id for check in CHECKS]
CLEAN = made.subject(made.table())
ODD = list(made.odd_tables())
ROW = {
    "model": "tree",
    "level": "table",
    "split": "day",
    "f1": 0.6,
    "thresholds": [0.5, 0.5],
    "folds": 2,
    "train_rows": 50,
    "rows": 100,
}
EARNED = (
    ROW, ROW | {"split": "random", "f1": 0.65},
    ROW | {"model": "dummy", "f1": 0.1}, ROW | {"model": "dummy", "split": "random", "f1": 0.1},
)  # fmt: skip


def status(name: str, subject: Subject) -> Status:
    """Return what a check says."""
    return perform(BY_ID[name], subject).status


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Subject]:
    """Both levels of a run made by hand, with its ledger and a manifest."""
    folder = tmp_path_factory.mktemp("audit") / "run"
    made_run.make(folder)
    account = settle(folder)
    built = dataset.build(folder, account)
    fields: dict[str, Any] = {
        "id": "made", "scenario": "made", "seed": 1, "engine": "netns", "shards": 1, "created": "2026-03-02T00:00:00Z",
        "plan_digest": "p", "semantic_digest": "s", "counts": {
            "packets": len(built.packets), "packets_attack": 1, "readings": 72, "readings_attack": 1, "episodes": 1, "acts": 1,
            "kernel_drops": 0, "days": 1,
        }, "seconds": {},
        "versions": dict.fromkeys(("coldaisle", "mosquitto", "tcpdump", "scapy", "paho-mqtt", "pandas", "scikit-learn"), "1"),
        "files": {"plan.json": sha256_of(folder / "plan.json")}, "commit": "c",
        "clocks": {
            "virtual_start": "2026-03-02T00:00:00Z", "virtual_end": "2026-03-03T00:00:00Z", "wall_start": "2026-03-02T00:00:00Z",
            "wall_end": "2026-03-02T00:01:00Z", "time_zone": "Europe/Madrid", "utc_offset_s": 3600,
        },
    }  # fmt: skip
    manifest = Manifest.model_validate(fields)
    dataset.write(built, folder / "dataset")
    manifest.save(folder)
    facts = Facts.of(folder, manifest)
    texts = {"croissant": croissant(facts), "datasheet": datasheet(facts)}
    return {
        "packets": of_level("made", built.packets, "packets", account=account, manifest=manifest, **texts),
        "readings": of_level("made", built.readings, "readings", account=account, manifest=manifest, **texts),
    }


@pytest.mark.parametrize("name", made.PLANTED)
def test_planted_flaw_is_found_and_a_clean_table_is_not_accused(name: str) -> None:
    """The check is ok on the table, and loud, with evidence, on the same table with its flaw."""
    assert status(name, CLEAN) is Status.OK
    result = perform(BY_ID[name], made.subject(made.PLANTED[name](made.table())))
    assert result.status in (Status.LOOK, Status.BAD)
    assert result.evidence or name in ("B3", "E1")


@pytest.mark.parametrize(
    ("name", "evidence"),
    [
        ("C1", {"column": "f3", "auc": 1.0}),
        ("C3", {"column": "ip_src", "auc": 1.0}),
        ("C7", {"column": "ip_ttl", "divergence": 1.0}),
        ("D4", {"port": 9999, "rows": int(made.table()["label"].sum())}),
        ("E2", {"episode": "e001"}),
        ("A1", {"row": 2, "earlier by, s": 0.02}),
    ],
)
def test_evidence_names_what_is_wrong(name: str, evidence: dict[str, object]) -> None:
    """The first piece of evidence is the column, port, episode or row that was planted."""
    assert perform(BY_ID[name], made.subject(made.PLANTED[name](made.table()))).evidence[0] == evidence


def test_one_rule_is_printed() -> None:
    """The evidence of C2 is the rule itself."""
    (rule,) = perform(BY_ID["C2"], made.subject(made.PLANTED["C2"](made.table()))).evidence
    assert str(rule["rule"]).startswith("f3 > ")


@pytest.mark.parametrize("name", ["E4", "E8", "E9"])
def test_scores_that_were_not_earned_are_found(name: str) -> None:
    """Random folds far above grouped ones, no threshold of the fold's own, and no model above the trivial one."""
    planted = {
        "E4": [*EARNED, ROW | {"split": "random", "model": "forest", "f1": 0.99}],
        "E8": [*EARNED, ROW | {"thresholds": [0.5]}],
        "E9": [row | {"f1": 0.1} for row in EARNED],
    }
    assert status(name, CLEAN) is Status.ABSENT
    assert status(name, replace(CLEAN, metrics=EARNED)) is Status.OK
    assert status(name, replace(CLEAN, metrics=planted[name])) is not Status.OK


def test_silence_nobody_labelled_is_found() -> None:
    """A reading that is missing from a table without a plan counts, and the sensor is named."""
    whole = made_dataset.make(1, 0).readings
    whole = whole.assign(client_id=whole["client_id"].astype("str"))
    assert status("A7", of_level("made", whole, "readings")) is Status.OK
    result = perform(
        BY_ID["A7"], of_level("made", whole.drop(index=range(100, 140)).reset_index(drop=True), "readings")
    )
    assert result.status is Status.LOOK
    assert result.evidence == [{"sensor": whole["client_id"].iloc[100], "missed": 40}]


def test_clock_nobody_declares_is_a_signal(run: dict[str, Subject]) -> None:
    """A run declares its offset from UTC; a table cannot; an episode outside the capture is named."""
    assert status("A8", CLEAN) is Status.LOOK
    assert status("A8", run["packets"]) is Status.OK
    late = run["packets"].frame.assign(time=run["packets"].frame["time"] + pd.Timedelta(days=3))
    result = perform(BY_ID["A8"], replace(run["packets"], frame=late))
    assert result.status is Status.LOOK
    assert {"episode outside": "e01"} in result.evidence


def test_run_made_by_hand_agrees_with_its_journals(run: dict[str, Subject]) -> None:
    """Every frame has a row, nothing was dropped, labels are the journals', every episode and kind left its trace."""
    for name in ("A3", "A4", "A9", "B6", "B7", "D6"):
        assert status(name, run["packets"]) is Status.OK, name
    assert status("A7", run["readings"]) is Status.OK


def test_run_that_was_tampered_with_is_found(run: dict[str, Subject]) -> None:
    """A label moved, a stranger's address, a kind gone, an episode gone, a row gone."""
    packets = run["packets"]
    moved = packets.label.copy()
    moved[np.flatnonzero(moved)[0]] = False
    assert status("B6", replace(packets, label=moved)) is Status.BAD
    strange = packets.frame.assign(
        ip_src=packets.frame["ip_src"].astype("str").replace("198.18.0.1", "10.9.9.9")
    )
    assert perform(BY_ID["A9"], replace(packets, frame=strange)).evidence == [{"address": "10.9.9.9"}]
    gone = packets.frame.assign(
        kind="normal",
        episode=packets.frame["episode"].astype("str").where(packets.frame["kind"] != "removal", ""),
    )
    assert status("D6", replace(packets, frame=gone)) is Status.BAD
    assert status("B7", replace(packets, frame=packets.frame.assign(episode=""))) is Status.BAD
    assert status("A3", replace(packets, frame=packets.frame.iloc[1:])) is Status.BAD


def test_frames_the_kernel_dropped_are_counted(run: dict[str, Subject]) -> None:
    """Drops the capture's journal states are a signal."""
    account = run["packets"].account
    assert account is not None
    sealed = account.evidence.sealed.assign(kernel_drops=3)
    lossy = replace(account, evidence=replace(account.evidence, sealed=sealed))
    result = perform(BY_ID["A4"], replace(run["packets"], account=lossy))
    assert (result.status, result.value) == (Status.LOOK, 3)


@pytest.mark.parametrize(("broken", "expected"), [(None, Status.OK), (IP, Status.BAD), (TCP, Status.BAD)])
def test_checksums_are_added_up(tmp_path: Path, broken: type | None, expected: Status) -> None:
    """Frames made by scapy add up; one wrong byte in either checksum does not."""
    packet = (
        Ether(src="02:42:c6:12:00:29", dst="02:42:c6:12:00:01")
        / IP(src="198.18.0.41", dst="198.18.0.1")
        / TCP()
        / Raw(b"odd")
    )
    packet = Ether(bytes(packet))
    if broken is not None:
        packet[broken].chksum ^= 0x0101
    made_run.pcap(tmp_path / "a.pcap", [(1, bytes(packet))])
    trace = SimpleNamespace(frames=captures.read([tmp_path / "a.pcap"]))
    account: Any = SimpleNamespace(evidence=SimpleNamespace(trace=trace))
    frame = made.table().iloc[:1].assign(label=0, episode="")
    assert status("A6", replace(made.subject(frame), level="packets", account=account)) is expected


def test_manifest_that_leaves_facts_open_is_found(run: dict[str, Subject]) -> None:
    """A version that is missing is named; a run says most of what a data set should."""
    packets = run["packets"]
    manifest = packets.manifest
    assert manifest is not None
    assert status("F2", packets) is Status.OK
    poorer = manifest.model_copy(update={"versions": {"coldaisle": "1"}, "semantic_digest": ""})
    result = perform(BY_ID["F2"], replace(packets, manifest=poorer))
    assert result.status is Status.BAD
    assert {"open": "semantic_digest"} in result.evidence
    richer, poor = (perform(BY_ID["F4"], replace(packets, manifest=m)).value for m in (manifest, poorer))
    assert richer is not None
    assert poor is not None
    assert 0 < richer < poor


def test_descriptions_that_lack_something_are_found(run: dict[str, Subject]) -> None:
    """A run describes itself fully; a property emptied, a section emptied and one gone are named."""
    packets = run["packets"]
    assert packets.croissant is not None
    assert packets.datasheet is not None
    assert (status("F1", packets), status("F3", packets)) == (Status.OK, Status.OK)
    assert (status("F1", CLEAN), status("F3", CLEAN)) == (Status.ABSENT, Status.ABSENT)
    poorer = replace(packets, croissant={**packets.croissant, "license": "", "rai:dataBiases": []})
    assert perform(BY_ID["F1"], poorer).evidence == [{"lacks": "license"}, {"lacks": "rai:dataBiases"}]
    before, _, after = packets.datasheet.partition("## Uses")
    emptied = before + "## Uses\n\n## Distribution" + after.partition("## Distribution")[2]
    assert perform(BY_ID["F3"], replace(packets, datasheet=emptied)).evidence == [{"lacks": "Uses"}]
    gone = before + "## Distribution" + after.partition("## Distribution")[2]
    assert perform(BY_ID["F3"], replace(packets, datasheet=gone)).evidence == [{"lacks": "Uses"}]


@pytest.mark.parametrize(
    ("name", "rows", "value"),
    [
        ("E5", EARNED, 1),
        ("E5", (*EARNED, ROW | {"split": "kind"}), 0),
        ("E7", EARNED, 2),
        ("E7", [row | {"intervals": {"f1": [0.5, 0.7]}} for row in EARNED], 1),
        ("E7", [ROW | {"intervals": {"f1": [0.5, 0.7]}, "seed": seed} for seed in (1, 2)], 0),
    ],
)
def test_what_evaluation_leaves_out_is_counted(
    name: str, rows: tuple[dict[str, object], ...], value: int
) -> None:
    """No kind held out, no intervals, one seed: each is a signal."""
    assert perform(BY_ID[name], replace(CLEAN, metrics=rows)).value == value


@pytest.mark.parametrize("name", NAMES)
def test_checks_obey(name: str) -> None:
    """A check is told apart by its id, belongs to a group, gets louder upwards, and says the same twice."""
    check = BY_ID[name]
    assert NAMES.count(name) == 1
    assert name[0] in GROUPS
    assert 0 < check.look <= check.bad
    assert check.status(check.look - 1e-12) is Status.OK
    assert check.status(check.bad) is Status.BAD
    assert check.measure.__doc__
    first, second = (perform(check, made.subject(made.table())) for _ in range(2))
    assert first == second
    assert len(first.evidence) <= MOST_EVIDENCE
    json.dumps(first.row(), allow_nan=False)


@pytest.mark.parametrize("check", CHECKS, ids=NAMES)
@pytest.mark.parametrize(("what", "frame"), ODD, ids=[what for what, _ in ODD])
def test_checks_survive_what_they_cannot_measure(check: Check, what: str, frame: pd.DataFrame) -> None:
    """An empty table, a class or columns that are missing, constant columns: one result each, and no number that is none."""
    result = perform(check, made.subject(frame))
    assert result.sentence, what
    assert (result.value is None) == (result.status is Status.ABSENT)
    json.dumps(result.row(), allow_nan=False)


def printed() -> str:
    """Return the table of checks of docs/audit.md."""
    lines = ["| id | looks for | value | look | bad | source |", "|---|---|---|---|---|---|"]
    for check in CHECKS:
        source = check.source.replace("*", "\\*")
        lines.append(
            f"| {check.id} | {check.name} | {check.means.replace('|', chr(92) + '|')} | {check.look:g} | {check.bad:g} | {source} |"
        )
    return "\n".join(lines)


def test_document_shows_the_checks() -> None:
    """docs/audit.md holds exactly the table printed from the code."""
    assert f"\n\n{printed()}\n" in DOCUMENT.read_text(encoding="utf-8"), f"print it again:\n{printed()}"
