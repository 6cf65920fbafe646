"""From a played stage to a finished run, and the same run played again, with a run made by hand."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.analysis import made_run

from coldaisle_analysis import tables
from coldaisle_analysis.columns import LEVELS
from coldaisle_contracts.analyses import AnalysisManifest
from coldaisle_contracts.errors import InputError, TrustError
from coldaisle_contracts.manifest import Manifest, digest_of, sha256_of
from coldaisle_contracts.plan import Plan
from coldaisle_testbed import conclude, provenance
from coldaisle_testbed.progress import Progress
from coldaisle_testbed.reproduce import reproduce
from coldaisle_testbed.stage import Order
from coldaisle_testbed.verification import verify


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a finished run whose journals and captures are made by hand."""
    folder = tmp_path_factory.mktemp("runs")
    made_run.make(folder / ".made")
    order = Order(engine="netns", shards=1, analyse=False, latest=False)
    return conclude.conclude(folder / ".made", order, Progress())


def hashes_in(folder: Path, *parts: str) -> dict[str, str]:
    """Return the sha256 of the files in some folders of a run, by path."""
    files = [path for part in parts for path in ((folder / part), *(folder / part).rglob("*"))]
    return {str(path.relative_to(folder)): sha256_of(path) for path in files if path.is_file()}


def test_what_was_played_and_labelled_is_in_the_manifest(run: Path) -> None:
    """The manifest has the right hashes of plan, journals, captures, dataset and software, and of no file of an analysis."""
    files = Manifest.load(run).files
    assert files == hashes_in(run, "plan.json", "journal", "capture", "dataset", "software")
    assert {f"dataset/{level}.parquet" for level in LEVELS} <= set(files)


def test_a_dataset_is_parquet_alone_unless_csv_is_asked_for(run: Path, tmp_path: Path) -> None:
    """Tables and datasheet name no CSV; with CSV asked for there is one beside each table. Both runs verify, and lack no file."""
    made_run.make(tmp_path / ".made")
    asked = Order(engine="netns", shards=1, analyse=False, latest=False, csv=True)
    both = conclude.conclude(tmp_path / ".made", asked, Progress())
    for folder, forms in ((run, {".parquet"}), (both, {".parquet", ".csv"})):
        names = {path.name for path in (folder / "dataset").iterdir()}
        assert names == {f"{level}{form}" for level in LEVELS for form in forms}
        assert ("as Parquet and CSV:" in (folder / "DATASHEET.md").read_text()) == (".csv" in forms)
        verify(folder)
    (both / "dataset" / "flows.csv").unlink()
    with pytest.raises(TrustError, match=r"dataset/flows\.csv"):
        verify(both)


def test_the_audit_is_an_analysis_of_its_own(run: Path) -> None:
    """The first analysis holds scorecard and datasheet with their hashes and the run's; the known paths lead there."""
    analysis = run / "analyses" / "001"
    manifest = AnalysisManifest.load(analysis)
    assert manifest.files == hashes_in(analysis, "SCORECARD.json", "DATASHEET.md")
    assert (manifest.run, manifest.run_manifest) == (run.name, digest_of(run))
    assert (run / "SCORECARD.json").resolve() == analysis / "SCORECARD.json"
    assert (run / "DATASHEET.md").resolve() == analysis / "DATASHEET.md"
    assert not (run / "SCORECARD.json").readlink().is_absolute()


def test_both_clocks_are_in_the_manifest(run: Path) -> None:
    """The manifest has the times of first and last packet on both clocks; virtual time is ahead by the run's offset."""
    clocks = Manifest.load(run).clocks
    assert clocks is not None
    packets = tables.read_level(run, "packets")
    assert clocks.virtual_start == packets["time"].min().floor("us")
    assert clocks.virtual_end == packets["time"].max().floor("us")
    for virtual, wall in ((clocks.virtual_start, clocks.wall_start), (clocks.virtual_end, clocks.wall_end)):
        assert (virtual - wall).total_seconds() == made_run.OFFSET / 1e9
    assert (clocks.time_zone, clocks.utc_offset_s) == ("Europe/Madrid", 3600)


def test_what_made_it_is_in_the_manifest(run: Path) -> None:
    """The manifest has the versions of Python, kernel, libraries and tools, and the commit of a checkout."""
    manifest = Manifest.load(run)
    assert {"python", "linux", "coldaisle", "pandas", "pyarrow", "tshark"} <= set(manifest.versions)
    assert manifest.commit == "" or len(manifest.commit.removesuffix("-dirty")) == 40


def test_the_commit_is_that_of_the_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commit is HEAD, with ``-dirty`` if a file was changed, and empty without git or outside a checkout."""
    monkeypatch.setattr(provenance, "HOUSE", tmp_path)
    assert provenance.commit() == ""
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    for words in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "first"]):
        subprocess.run([*git, *words], check=True)
    head = subprocess.run(
        [*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True
    ).stdout.strip()
    assert provenance.commit() == head
    (tmp_path / "new.txt").write_text("new")
    assert provenance.commit() == f"{head}-dirty"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert provenance.commit() == ""


def test_a_manifest_from_before_still_loads(run: Path, tmp_path: Path) -> None:
    """The manifest of an old run, without commit, clocks and scenario, can be loaded."""
    older = json.loads((run / "manifest.json").read_text())
    for name in ("commit", "clocks", "definition", "left_out"):
        del older[name]
    (tmp_path / "manifest.json").write_text(json.dumps(older))
    loaded = Manifest.load(tmp_path)
    assert (loaded.commit, loaded.clocks, loaded.definition, loaded.left_out) == ("", None, None, ())


def copied(run: Path) -> Callable[[Plan, Path], None]:
    """Return a replacement for playing: it copies the files that the run was made from."""

    def play(_: Plan, stage: Path) -> None:
        shutil.copy2(run / "plan.json", stage)
        for part in ("journal", "capture"):
            shutil.copytree(run / part, stage / part)

    return play


def test_the_same_again(run: Path) -> None:
    """If the outcome is the same, a sentence says so, and no second run is left."""
    sentence = reproduce(run, copied(run), Progress())
    assert sentence.startswith(
        "made: played again, all 72 readings and 3 acts had the same outcome; semantic digest "
    )
    assert sentence.endswith(Manifest.load(run).semantic_digest)
    assert [path.name for path in run.parent.iterdir()] == ["made"]


def test_the_manifest_alone_is_enough(run: Path, tmp_path: Path) -> None:
    """The scenario in the manifest gives the plan: no other file of the run is needed."""
    shutil.copy2(run / "manifest.json", tmp_path / "sent.json")
    played: list[Plan] = []

    def play(plan: Plan, stage: Path) -> None:
        played.append(plan)
        copied(run)(plan, stage)

    assert reproduce(tmp_path / "sent.json", play, Progress()).startswith("made: played again")
    assert played == [Plan.load(run / "plan.json")]
    assert [path.name for path in tmp_path.iterdir()] == ["sent.json"]
    assert reproduce(run / "manifest.json", copied(run), Progress()).startswith("made: played again")
    assert [path.name for path in run.parent.iterdir()] == ["made"]


@pytest.mark.parametrize(
    ("edit", "sentence"),
    [
        ({"definition": None}, "holds no scenario: name the run's folder"),
        ({"definition": {"name": "x"}}, "definition: key seed: add it"),
        ({"plan_digest": "0" * 64}, "this version makes another plan of its scenario: use coldaisle"),
        ({"left_out": ["removal"]}, "this version makes another plan"),
        ({"engine": "mars"}, "key engine is 'mars': it should be 'netns' or 'compose'"),
        ({"counts": {}}, "key counts is .*the number of packets is missing"),
        (
            {"files": {"../../plan.json": "0"}},
            "key files is '../../plan.json': it lies outside of the folder",
        ),
    ],
)
def test_a_manifest_that_leads_to_no_run(
    run: Path, tmp_path: Path, edit: dict[str, object], sentence: str
) -> None:
    """A manifest without a scenario, with another one or with odd values is refused in one sentence before anything is played."""
    manifest = json.loads((run / "manifest.json").read_text())
    (tmp_path / "manifest.json").write_text(json.dumps({**manifest, **edit}))
    with pytest.raises(InputError, match=sentence):
        reproduce(tmp_path / "manifest.json", lambda *_: pytest.fail("it was played"), Progress())


def test_another_outcome_is_named(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If another value was sent, the error has the number of different readings and the first of them."""
    value = made_run.value
    monkeypatch.setattr(
        made_run, "value", lambda sensor, slot: "9.99" if (sensor, slot) == (4, 2) else value(sensor, slot)
    )
    sentence = r"2 of 72 readings had another outcome, first slot 2 of client 134: sent \d+\.\d+, .*; again sent 9\.99, "
    with pytest.raises(TrustError, match=sentence):
        reproduce(run, lambda _, stage: made_run.make(stage), Progress())
    assert [path.name for path in run.parent.iterdir()] == ["made"]


def test_a_plan_that_was_edited(run: Path, tmp_path: Path) -> None:
    """A plan that differs from the manifest's is not played."""
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    plan = (copy / "plan.json").read_text()
    (copy / "plan.json").write_text(
        plan.replace('"seed":1,', '"seed":2,').replace('"seed": 1,', '"seed": 2,')
    )
    with pytest.raises(TrustError, match=r"plan\.json is not the plan of the manifest"):
        reproduce(copy, lambda *_: pytest.fail("it was played"), Progress())


def test_an_unfinished_second_run_in_the_way(run: Path) -> None:
    """An unfinished run in the place of the second run is not changed."""
    (run.parent / ".made.again").mkdir()
    with pytest.raises(InputError, match="an unfinished run lies here"):
        reproduce(run, lambda *_: pytest.fail("it was played"), Progress())
    (run.parent / ".made.again").rmdir()
