"""The ledger: a run that adds up, and every way in which a run may not add up."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.analysis import made_run

from coldaisle_analysis import dataset, tables
from coldaisle_analysis.truth import ledger
from coldaisle_analysis.truth.readings import Account, semantic_digest, settle
from coldaisle_contracts.errors import InputError, TrustError
from coldaisle_contracts.manifest import sha256_of

Line = dict[str, Any]
Edit = Callable[[list[Line]], list[Line]]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Return a run made by hand."""
    made_run.make(tmp_path / "run")
    return tmp_path / "run"


@pytest.fixture
def account(run: Path) -> Account:
    """Return the account of the run."""
    return settle(run)


TIME = {"event": "time", "shard": "day-1", "slot": 0, "at_ns": 0}
"""The line of an NTP query that was never made."""


def edit(run: Path, journal: str, change: Edit) -> None:
    """Change the lines of a journal."""
    path = run / "journal" / f"{journal}.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps(line) + "\n" for line in change(lines)))


def without(**facts: object) -> Edit:
    """Return an edit that removes the lines with these facts."""
    return lambda lines: [
        line for line in lines if any(line.get(key) != value for key, value in facts.items())
    ]


def with_value(where: dict[str, object], **facts: object) -> Edit:
    """Return an edit that writes values into the lines with these facts."""
    return lambda lines: [
        {**line, **facts} if all(line.get(key) == value for key, value in where.items()) else line
        for line in lines
    ]


@pytest.mark.parametrize(
    ("queries", "covered", "broken"),
    [
        ([True, True, True], [], True),
        ([True, False, True], [], False),
        ([True], [], False),
        ([True, True], [0, 1], False),
        ([True, True], [0], True),
    ],
)
def test_a_unit_that_never_got_the_time_is_named(
    account: Account, queries: list[bool], covered: list[int], *, broken: bool
) -> None:
    """If several queries had no answer and no episode is the reason, the NTP server did not work."""
    evidence = account.evidence
    times = pd.DataFrame({"shard": "day-1", "host": "inrow-13", "slot": range(len(queries)), "at_ns": 0})
    times["failed"] = ["timed out" if failed else "" for failed in queries]
    (first, *_) = evidence.plan.episodes
    episodes = tuple(
        first.model_copy(update={"unit": "inrow-13", "onset": slot, "readings": 1}) for slot in covered
    )
    plan = evidence.plan.model_copy(update={"episodes": episodes})
    sentences = list(ledger._clocks_kept(replace(evidence, plan=plan, times=times)))
    expected = (
        f"inrow-13 sent {len(queries)} NTP requests in day-1 and got no answer: the NTP server did not work"
    )
    assert sentences == ([expected] if broken else [])


def test_sound_run_has_nothing_broken(run: Path) -> None:
    """A sound run gives no sentence."""
    assert ledger.check(run) == []


def test_every_planned_reading_is_settled(account: Account) -> None:
    """Of 72 planned readings one is modified, one is removed, one is copied twice, and the others are delivered."""
    table = account.readings
    assert len(table) == 2 * 4 * 9
    assert table["fate"].value_counts().to_dict() == {"delivered": 70, "modified": 1, "removed": 1}
    assert table["copies"].sum() == 2
    modified = table[table["fate"] == "modified"].iloc[0]
    assert (modified["sent"], modified["received"], modified["kind"]) == ("14.02", "15.52", "modification")
    assert table.loc[table["fate"] == "removed", "received"].isna().all()


def test_labels_of_readings(account: Account) -> None:
    """Modified, removed, copied and intercepted readings have their kind as label; all others are normal."""
    table = account.readings
    expected = {"normal": 65, "modification": 1, "removal": 1, "duplication": 1, "interception": 4}
    assert table["kind"].value_counts().to_dict() == expected
    assert (table["label"] == (table["kind"] != "normal")).all()


@pytest.mark.parametrize(
    ("journal", "change", "violation"),
    [
        ("inrow-13", without(client="133", slot=4), "first 133 slot 4: planned but never journalled"),
        ("inrow-13", lambda lines: [*lines, next(x for x in lines if x["event"] == "reading")], "first 131 slot 0: journalled more than once"),
        ("inrow-13", with_value({"client": "133", "slot": 4}, value="9.99"), "first 133 slot 4: another value"),
        ("injector", without(event="act", operation="swallow"), "first 132 slot 5: sent, but not at the broker"),
        ("injector", without(event="act", operation="modify"), "first 131 slot 2: another value at the broker"),
        ("injector", with_value({"operation": "modify"}, operation="swallow"), "first 131 slot 2: removed by an act, but"),
        ("injector", with_value({"operation": "modify"}, operation="hold"), "first 131 slot 2: held back and not"),
        ("injector", with_value({"operation": "modify"}, before="1.00"), "the act names another value than the sensor"),
        ("injector", with_value({"operation": "modify"}, slot=3), "acts are not in the plan, the first modify of sensor 1 slot 3"),
        ("injector", lambda lines: [*lines, *(x for x in lines if x.get("operation") == "modify")], "acted on more"),
        ("injector", without(event="act", operation="copy"), "first 253 slot 6: not as many copies"),
        ("injector", without(event="act", operation="swallow"), "swallow of sensor 2 slot 5 was not played"),
        ("injector", without(event="frame", role="modified"), "1 frames that nothing explains, the first is frame"),
        ("injector", with_value({"role": "modified"}, digest="0" * 16), "1 of 32 journalled frames are not in the capture"),
        ("injector", without(event="episode", phase="end", episode="e01"), "e01: the journal does not say when"),
        ("injector", with_value({"operation": "modify"}, at_ns=0), "e01: acts outside its begin and end"),
        ("injector", with_value({"operation": "modify"}, unit="inrow-25"), "modify on inrow-25, which is not its target"),
        ("inrow-13", without(event="connect", client="131"), "frames that nothing explains, the first is frame"),
        ("inrow-13", with_value({"event": "connect", "client": "131"}, reason="lost"), "lost and no act is the reason, the first is that of client 131"),
        ("inrow-13", lambda lines: [*lines, TIME], "inrow-13 sent 0 NTP requests in day-1, but its journal has 1"),
        ("capture", with_value({}, kernel_drops=3), "the kernel dropped 3 packets"),
        ("capture", with_value({}, packets=1), "but was sealed with 1"),
        ("capture", with_value({}, raw_sha256="0"), "raw/day-1-000.pcap: was changed after it was sealed"),
    ],
)  # fmt: skip
def test_what_breaks_is_named(run: Path, journal: str, change: Edit, violation: str) -> None:
    """Each way in which a run may not add up gives a sentence that names the place."""
    edit(run, journal, change)
    assert any(violation in sentence for sentence in ledger.check(run)), ledger.check(run)


def test_strange_host_is_named(run: Path) -> None:
    """A host outside the plan is reported with its address."""
    for folder in ("capture", "capture/raw"):
        path = run / folder / "day-1-000.pcap"
        path.write_bytes(path.read_bytes().replace(made_run.ip("198.18.0.34"), made_run.ip("198.18.0.99")))
    assert "ip_src 198.18.0.99 is no host of the plan" in ledger.check(run)


def test_unplanned_publish_is_named(run: Path) -> None:
    """A PUBLISH with a message id that no reading has is reported with its frame."""
    edit(run, "inrow-13", with_value({"client": "131", "slot": 0}, mid=99))
    assert any("1 PUBLISH carry no planned reading" in sentence for sentence in ledger.check(run))


def test_resend_counts_once(run: Path) -> None:
    """A PUBLISH that the sensor sends again is the same reading, delivered once."""
    for folder in ("capture/raw", "capture"):
        path = run / folder / "day-1-000.pcap"
        frames = made_run.captured(path)
        at, again = next(row for row in frames if row[1].endswith(b"IoT\0\x0926.08"))
        moved = made_run.later(again, len(made_run.publish("26.08", 9)))
        made_run.pcap(path, sorted([*frames, (at + 1000, moved)]))
    account = settle(run)
    first = account.readings[(account.readings["client_id"] == "134") & (account.readings["slot"] == 8)].iloc[
        0
    ]
    assert (first["arrivals"], first["fate"], first["copies"]) == (2, "delivered", 0)
    assert not [sentence for sentence in ledger.check(run) if "readings" in sentence]


def test_semantic_digest_ignores_order_and_time(run: Path, account: Account) -> None:
    """Other times, ports and orders of lines do not change the digest; another value does."""
    digest = semantic_digest(account)
    edit(run, "inrow-13", lambda lines: [{**line, "acked_ns": 1, "stamp_ns": 2} for line in reversed(lines)])
    assert semantic_digest(settle(run)) == digest
    edit(run, "inrow-25", with_value({"slot": 1, "client": "251"}, value="1.00"))
    assert semantic_digest(settle(run)) != digest


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("journal/injector.jsonl", "every run has this journal"),
        ("capture/day-1-000.pcap", "readable capture"),
        ("plan.json", "plan"),
    ],
)
def test_missing_file_is_bad_input(run: Path, name: str, error: str) -> None:
    """A run that lacks one of its files cannot be checked, and the error names the file."""
    (run / name).unlink()
    with pytest.raises(InputError, match=error):
        ledger.check(run)


def test_journal_without_a_key(run: Path) -> None:
    """A line without a required key is refused, and the error names journal and key."""
    edit(run, "capture", lambda lines: [{key: line[key] for key in line if key != "raw"} for line in lines])
    with pytest.raises(InputError, match=r"capture\.jsonl: event sealed.*'raw'"):
        ledger.check(run)


@pytest.mark.parametrize("keep", [0, 3, 10])
def test_a_capture_in_which_nobody_speaks(run: Path, keep: int) -> None:
    """If a capture ends before the first PUBLISH, the ledger reports the frames that are missing."""
    names = ("capture/day-1-000.pcap", "capture/raw/day-1-000.pcap")
    for name in names:
        made_run.pcap(run / name, made_run.captured(run / name)[:keep])
    hashes = dict(zip(("sha256", "raw_sha256"), (sha256_of(run / name) for name in names), strict=True))
    edit(run, "capture", with_value({}, packets=keep, **hashes))
    broken = ledger.check(run)
    assert any("of 32 journalled frames are not in the capture" in sentence for sentence in broken)
    assert any("sent, but not at the broker" in sentence for sentence in broken)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda lines: lines * 2, "is 'capture/day-1-000.pcap': the capture is sealed twice"),
        (with_value({}, file="../outside.pcap"), "file is '../outside.pcap': this is no capture of the run"),
        (with_value({}, raw="/dev/zero"), "raw is '/dev/zero': this is no capture of the run"),
    ],
)
def test_captures_that_are_sealed_oddly(run: Path, change: Edit, error: str) -> None:
    """A capture that is sealed twice, or lies outside the run, is refused."""
    edit(run, "capture", change)
    with pytest.raises(InputError, match=re.escape(error)):
        ledger.check(run)


def test_a_dataset_of_other_captures(run: Path, account: Account) -> None:
    """A table whose number of rows is not that of the captured frames, or that has no labels, is refused."""
    table = dataset.build(run).packets
    tables.write(table.iloc[:-1], run / "dataset" / "packets", ["parquet"])
    with pytest.raises(TrustError, match="dataset/packets: has 270 rows, but the captures have 271 frames"):
        ledger.prove(run, account)
    tables.write(table.drop(columns="label"), run / "dataset" / "packets", ["parquet"])
    with pytest.raises(TrustError, match="dataset/packets: has no column label"):
        ledger.prove(run, account)
