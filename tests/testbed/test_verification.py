"""Every change of a finished run is found and named, even if the hashes are adjusted to it."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.analysis import made_run
from tests.testbed import made_finished as made

from coldaisle_analysis import tables
from coldaisle_contracts.errors import InputError, TrustError
from coldaisle_contracts.manifest import Manifest, digest_of, sha256_of
from coldaisle_testbed.verification import verify

Tamper = Callable[[Path], None]


@pytest.fixture
def run(finished_run: Path, tmp_path: Path) -> Path:
    """Return a copy of a finished run."""
    return made.copy(finished_run, tmp_path)


def refused(run: Path) -> str:
    """Return the sentence that refuses a changed run."""
    with pytest.raises((TrustError, InputError)) as failure:
        verify(run)
    return str(failure.value)


def test_a_run_that_nobody_touched_holds(finished_run: Path) -> None:
    """In an unchanged run every file is the sealed one, everything derived is reproduced, and the manifest's sha256 is returned."""
    held = "\n".join(verify(finished_run).sentences())
    assert held.startswith("made: 19 files unchanged, 271 packets, 72 readings, 0 dropped, ")
    assert "label precision 1.0000, recall 1.0000, 0 unexplained frames" in held
    assert held.endswith(f"sha256 of its manifest {digest_of(finished_run)}")


def test_these_are_all_files_of_a_run(finished_run: Path) -> None:
    """The list of files below, each of which is tampered with, is complete."""
    there = {path for path in finished_run.rglob("*") if path.is_file() and not path.is_symlink()}
    inside = {str(path.relative_to(finished_run)) for path in there if "latest" not in path.parts}
    assert inside == set(made.FILES)


@pytest.mark.parametrize("name", made.FILES)
def test_a_flipped_bit_is_found(run: Path, name: str) -> None:
    """After one flipped bit in any file, in the middle or in a manifest's last hash, the sentence names the file or its manifest."""
    path = run / name
    made.flip(path, path.read_bytes().rindex(b'"') - 3 if path.name == "manifest.json" else None)
    assert str(Path(name).with_suffix("")).removesuffix("/manifest") in refused(run)


@pytest.mark.parametrize("name", made.FILES)
def test_a_deleted_file_is_found(run: Path, name: str) -> None:
    """A missing file is named."""
    (run / name).unlink()
    assert name in refused(run)


def swap(run: Path, first: str, second: str) -> None:
    """Exchange two files."""
    (run / first).rename(run / "aside")
    (run / second).rename(run / first)
    (run / "aside").rename(run / second)


def cut_last_frame(run: Path) -> None:
    """Remove the last frame from both captures and from their counts."""
    for name in (made.CAPTURE, made.RAW):
        made_run.pcap(run / name, made.frames(run / name)[:-1])
    made.edit(run, "capture", lambda lines: [{**lines[0], "packets": lines[0]["packets"] - 1}])


def later_frame(run: Path) -> None:
    """Move a frame by a microsecond in both captures."""
    for name in (made.CAPTURE, made.RAW):
        frames = made.frames(run / name)
        frames[30] = (frames[30][0] + 1000, frames[30][1])
        made_run.pcap(run / name, frames)


def drop_entry(run: Path) -> None:
    """Remove a table and its entry in the manifest."""
    (run / "dataset" / "flows.csv").unlink()


def with_facts(**facts: Any) -> Tamper:
    """Return a function that changes facts of the manifest."""
    return lambda run: made.refit(run, **facts)


def refitted(change: Tamper) -> Tamper:
    """Return a function that makes a change and adjusts every hash to it."""

    def tamper(run: Path) -> None:
        change(run)
        made.refit(run)

    return tamper


def of_counts(**counts: int) -> Tamper:
    """Return a function that changes counts of the manifest."""
    return lambda run: made.refit(run, counts={**Manifest.load(run).counts, **counts})


def linked_out(run: Path) -> None:
    """Replace a table by a link to a file outside of the run."""
    table = run / "dataset" / "flows.parquet"
    os.replace(table, run.parent / "flows.parquet")  # noqa: PTH105 - out of the run
    table.symlink_to("../../flows.parquet")


def linked_folder(run: Path) -> None:
    """Replace a folder by a link."""
    (run / "journal").rename(run.parent / "journal")
    (run / "journal").symlink_to("../journal")


def added(name: str) -> Tamper:
    """Return a function that adds a file."""

    def tamper(run: Path) -> None:
        (run / name).write_text("x")

    return tamper


def relinked(name: str, target: str) -> Tamper:
    """Return a function that changes the target of a link."""

    def tamper(run: Path) -> None:
        (run / name).unlink()
        (run / name).symlink_to(target)

    return tamper


def other_digest(name: str) -> Tamper:
    """Return a function that changes the manifest's sha256 in a file."""

    def tamper(run: Path) -> None:
        (run / name).write_text((run / name).read_text().replace(digest_of(run), "0" * 64))

    return tamper


def listed_path_out(run: Path) -> None:
    """List a file outside of the run in the manifest."""
    manifest = json.loads((run / "manifest.json").read_text())
    manifest["files"]["../outside.txt"] = "0" * 64
    (run / "manifest.json").write_text(json.dumps(manifest))


def listed_addition(run: Path) -> None:
    """Add a file and list it in the manifest."""
    (run / "dataset" / "more.csv").write_text("a\n")
    files = {**Manifest.load(run).files, "dataset/more.csv": "0" * 64}
    made.refit(run, files=files)
    made.refit(run)


def other_base(run: Path) -> None:
    """Name another system in the machine's software file."""
    path = run / "software" / "machine.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"base": "Other"}))


def replanned(change: Callable[[dict[str, Any]], None]) -> Tamper:
    """Return a function that changes the plan and the manifest's facts of it."""

    def tamper(run: Path) -> None:
        from coldaisle_contracts.plan import Plan  # noqa: PLC0415

        made.edit_plan(run, change)
        plan = Plan.load(run / "plan.json")
        made.refit(
            run,
            plan_digest=plan.digest(),
            seed=plan.scenario.seed,
            definition=plan.scenario.model_dump(mode="json"),
        )

    return tamper


def no_swallow(plan: dict[str, Any]) -> None:
    """Remove the act of the removal from a plan."""
    plan["episodes"][2]["acts"] = []


def first_episode_out(plan: dict[str, Any]) -> None:
    """Remove an episode from a plan."""
    del plan["episodes"][0]


def other_seed(plan: dict[str, Any]) -> None:
    """Change the seed of a plan."""
    plan["scenario"]["seed"] = 2


TAMPERED: dict[str, tuple[Tamper, str]] = {
    "two journals swapped": (
        lambda run: swap(run, "journal/inrow-13.jsonl", "journal/inrow-25.jsonl"),
        "journal/inrow-13.jsonl: is not what the manifest says",
    ),
    "raw and retimed swapped": (
        lambda run: swap(run, made.CAPTURE, made.RAW),
        "capture/day-1-000.pcap: is not what the manifest says",
    ),
    "label in Parquet": (
        lambda run: made.edit_table(run, "packets", "label", 1),
        "dataset/packets.parquet: is not what the manifest says",
    ),
    "label in Parquet, refitted": (
        refitted(lambda run: made.edit_table(run, "packets", "label", 1)),
        "dataset/packets.parquet: 1 rows are not what captures and journals give, the first is row 21: label is 1 instead of 0",
    ),
    "value of a reading": (
        refitted(
            lambda run: made.edit(
                run,
                "inrow-13",
                lambda lines: [line | {"value": "9.99"} if line.get("slot") == 5 else line for line in lines],
            )
        ),
        "another value at the broker than the ledger says",
    ),
    "a frame's anomalous": (
        refitted(
            lambda run: made.edit(
                run,
                "injector",
                lambda lines: [line | {"anomalous": False} if "anomalous" in line else line for line in lines],
            )
        ),
        "manifest.json: counts.packets_attack is ",
    ),
    "kernel_drops": (
        refitted(
            lambda run: made.edit(run, "capture", lambda lines: [line | {"kernel_drops": 1} for line in lines])
        ),
        "the kernel dropped 1 packets",
    ),
    "an act of the plan": (replanned(no_swallow), "1 acts are not in the plan, the first swallow"),
    "an episode of the plan": (replanned(first_episode_out), "plan_digest"),
    "semantic_digest": (with_facts(semantic_digest="0" * 64), "semantic_digest is '000"),
    "last frame of both captures": (refitted(cut_last_frame), "has 271 rows, captures and journals give 270"),
    "label in CSV": (
        refitted(lambda run: made.edit_csv(run, "packets", "label", "1")),
        "dataset/packets.csv: 1 rows are not what captures and journals give, the first is row 21: label is '1' instead of '0'",
    ),
    "label of a reading": (
        refitted(lambda run: made.edit_table(run, "readings", "label", 1)),
        "dataset/readings.parquet: 1 rows",
    ),
    "kind": (refitted(lambda run: made.edit_table(run, "packets", "kind", "removal")), "kind is 'removal'"),
    "frame_len": (refitted(lambda run: made.edit_table(run, "packets", "frame_len", 1)), "frame_len is 1"),
    "payload byte of the retimed capture": (
        refitted(lambda run: made.flip(run / made.CAPTURE, -1)),
        "capture/day-1-000.pcap: is not what the raw capture and the timeline give, from byte ",
    ),
    "frame time in both captures": (refitted(later_frame), "dataset/packets.parquet: "),
    "an offset of the timeline": (
        refitted(
            lambda run: made.edit(
                run,
                "timeline",
                lambda lines: [*lines[:-1], lines[-1] | {"offset_ns": lines[-1]["offset_ns"] + 10**6}],
            )
        ),
        "is not what the raw capture and the timeline give, from byte ",
    ),
    "the plan's seed": (replanned(other_seed), "plan_digest"),
    "counts": (of_counts(packets=1), "manifest.json: counts.packets is 1, but plan, journals and captures give 271"),
    "plan_digest": (with_facts(plan_digest="0" * 64), "manifest.json: plan_digest is '000"),
    "seed, commit, versions": (
        with_facts(seed=7, commit="0" * 40, versions={"coldaisle": "9.9"}),
        "manifest.json: seed is 7, but plan, journals and captures give 1",
    ),
    "versions of the system": (
        lambda run: made.refit(run, versions={**Manifest.load(run).versions, "base": "Other 1"}),
        "manifest.json: versions.base is 'Other 1', software/ says",
    ),
    "the machine's software": (refitted(other_base), "software/ says 'Other'"),
    "files emptied": (with_facts(files={}), "plan.json: was added"),
    "an entry and its file": (refitted(drop_entry), "does not list dataset/flows.csv"),
    "a path out of the run": (listed_path_out, "'../outside.txt': it lies outside of the folder"),
    "a file added": (added("notes.txt"), "notes.txt: was added"),
    "a link out of the run": (linked_out, "dataset/flows.parquet: is no file of the run itself"),
    "a file added and listed": (listed_addition, "manifest.json: lists dataset/more.csv, which no run has"),
    "definition": (with_facts(definition={"name": "made", "seed": 1}), "manifest.json: definition."),
    "left_out": (with_facts(left_out=["removal"]), "manifest.json: left_out is ('removal',)"),
    "shards": (with_facts(shards=2), "manifest.json: shards is 2, but plan, journals and captures give 1"),
    "clocks": (
        lambda run: made.refit(
            run,
            clocks={
                **json.loads((run / "manifest.json").read_text())["clocks"],
                "wall_end": "2026-03-02T00:00:00Z",
            },
        ),
        "manifest.json: clocks.wall_end is '2026-03-02T00:00:00Z'",
    ),
    "a hash in the metadata": (other_digest("croissant.json"), "croissant.json: is not what manifest.json says"),
    "a link to elsewhere": (
        relinked("SCORECARD.json", "plan.json"),
        "SCORECARD.json: leads to plan.json instead of analyses/latest/SCORECARD.json",
    ),
    "latest to elsewhere": (
        relinked("analyses/latest", ".."), "analyses/latest: leads to .., which is no analysis of this run",
    ),
    "a folder that is a link": (linked_folder, "journal: is a link or no file"),
    "a file added to an analysis": (added("analyses/001/more.txt"), "analyses/001/more.txt: was added"),
    "a file among the analyses": (added("analyses/notes.txt"), "analyses/notes.txt: is no analysis"),
    "an analysis of another run": (
        other_digest("analyses/001/manifest.json"), "analyses/001/manifest.json: is of another run",
    ),
    "a pipe": (lambda run: os.mkfifo(run / "dataset" / "pipe"), "dataset/pipe: is a link or no file"),
}  # fmt: skip
"""Ways to change a run, each with the sentence that refuses it."""


@pytest.mark.parametrize("way", TAMPERED)
def test_tampering_is_found(run: Path, way: str) -> None:
    """Every change is found and named, with hashes adjusted wherever a forger could adjust them."""
    tamper, sentence = TAMPERED[way]
    tamper(run)
    assert sentence in refused(run)


def without_column(run: Path, level: str, column: str) -> None:
    """Remove a column from both files of a table."""
    table = pd.read_parquet(run / "dataset" / f"{level}.parquet").drop(columns=column)
    tables.write(table, run / "dataset" / level)


@pytest.mark.parametrize(
    ("journal", "key", "value"),
    [
        ("inrow-13", "episode", "e99"),
        ("inrow-13", "value", "warm"),
        ("inrow-13", "event", "nothing"),
        ("capture", "file", "capture/none.pcap"),
        ("timeline", "offset_ns", None),
    ],
)
def test_journals_that_make_no_sense(run: Path, journal: str, key: str, value: object) -> None:
    """A journal with the right hash and senseless contents is refused in a sentence, whatever exception it causes."""
    made.edit(
        run,
        journal,
        lambda lines: (
            [lines[0], *(line | {key: value} for line in lines[1:])]
            if journal != "capture"
            else [line | {key: value} for line in lines]
        ),
    )
    manifest = json.loads((run / "manifest.json").read_text())
    there = {name: sha256_of(run / name) for name in manifest["files"]}
    (run / "manifest.json").write_text(json.dumps({**manifest, "files": there}))
    made.settle(run)
    assert len(refused(run)) < 3000


def test_columns_of_another_version_are_said_to_be_that(run: Path) -> None:
    """If another version made a run whose tables lack a column, the sentence names both files and that version."""
    without_column(run, "windows", "dev_max")
    made.refit(run, commit="1" * 40)
    sentence = refused(run)
    for form in ("parquet", "csv"):
        assert (
            f"dataset/windows.{form}: lacks or has otherwise dev_max (the run was made by coldaisle "
            in sentence
        )
    assert (
        f"commit {'1' * 40}; this version may be what has other columns: verify it with that one)" in sentence
    )


def test_a_column_that_is_gone_is_found(run: Path) -> None:
    """In a run of this version, a missing column is found, and the sentence does not mention versions."""
    without_column(run, "windows", "dev_max")
    made.refit(run)
    assert "dataset/windows.parquet: lacks or has otherwise dev_max; " in refused(run)


def test_another_processor_may_add_up_otherwise(run: Path) -> None:
    """A number that differs in its last digits is accepted; one that differs by a millionth is not."""
    table = pd.read_parquet(run / "dataset" / "flows.parquet")
    row = int(table["iat_mean"].notna().to_numpy().argmax())
    value = float(table["iat_mean"][row])
    for factor, holds in ((1 + 1e-12, True), (1 + 1e-6, False)):
        made.edit_table(run, "flows", "iat_mean", value * factor, row)
        made.refit(run)
        if holds:
            verify(run)
        else:
            assert "dataset/flows.parquet: 1 rows are not what captures and journals give" in refused(run)


def test_metadata_that_another_version_worded_otherwise(run: Path) -> None:
    """Files and hashes in the metadata have to be right; other wording is accepted from another version."""
    made.refit(run, commit="1" * 40)
    path = run / "croissant.json"
    path.write_text(path.read_text().replace("Labelled IoT traffic", "Traffic with labels"))
    verify(run)
    path.write_text(path.read_text().replace(Manifest.load(run).files["plan.json"], "0" * 64))
    assert refused(run).endswith("croissant.json: is not what manifest.json says")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "Invalid JSON"),
        ("[]", "manifest.json"),
        ("[" * 200_000, "Invalid JSON"),
        ('{"id": 3}', "manifest.json: key id is 3"),
        ("\ufffe", "Invalid JSON"),
    ],
)
def test_what_is_no_manifest(run: Path, text: str, expected: str) -> None:
    """A file that is not a manifest is refused in one short sentence."""
    (run / "manifest.json").write_text(text)
    sentence = refused(run)
    assert expected in sentence
    assert len(sentence) < 400
