"""`coldaisle twin`: which episodes are left out together, what is taken from the run, and what is refused; the run itself never changes."""

import json
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path

import pytest
from tests.conftest import HOUSE
from tests.testbed import made_finished as made
from tests.testbed.conftest import Call

from coldaisle_analysis import tables
from coldaisle_analysis.columns import LEVELS
from coldaisle_analysis.twins import stored
from coldaisle_analysis.twins.comparison import Comparison
from coldaisle_contracts.errors import InputError, TrustError
from coldaisle_contracts.manifest import Engine, Manifest, digest_of, sha256_of
from coldaisle_contracts.plan import Episode, Plan
from coldaisle_contracts.planning import build_plan, without_episodes
from coldaisle_contracts.scenario import Scenario, load_scenario
from coldaisle_contracts.shard import Shard
from coldaisle_contracts.twins import TWINS, TwinManifest
from coldaisle_testbed import leftovers, shard_folders, twin_plays, twins
from coldaisle_testbed.progress import Progress
from coldaisle_testbed.twin_plays import TwinPlay
from coldaisle_testbed.verification.folder import unsealed

WEEK = HOUSE / "scenarios" / "week.toml"


@pytest.fixture
def run(finished_run: Path, tmp_path: Path) -> Path:
    """Return a copy of a finished run."""
    return made.copy(finished_run, tmp_path)


@pytest.fixture(scope="module")
def week() -> Plan:
    """Return the plan of the default week."""
    return build_plan(load_scenario(WEEK), str(WEEK))


def attacks(plan: Plan) -> list[Episode]:
    """Return the attacks of a plan."""
    return [episode for episode in plan.episodes if not episode.row.benign]


def netns() -> Engine:
    """Return the engine of the tests, which plays nothing here."""
    return "netns"


def idle(_: Plan, __: Path) -> None:
    """Fail: nothing is to be played."""
    raise AssertionError


def test_nothing_else_changes_in_the_plan(week: Plan) -> None:
    """Without an episode ids, times, seeds and acts of all others stay as they are."""
    twin = without_episodes(week, ["e07", "e09"])
    assert twin.episodes == tuple(episode for episode in week.episodes if episode.id not in ("e07", "e09"))
    assert twin.model_copy(update={"episodes": week.episodes}) == week


def test_every_attack_is_left_out_once(week: Plan) -> None:
    """Few plays leave out every attack once, and no two that share a target and a day; a play has the days of its episodes alone."""
    plays = twin_plays.packed(week, attacks(week))
    assert sorted(episode.id for play in plays for episode in play.without) == [e.id for e in attacks(week)]
    assert len(plays) < len(attacks(week)) / 4
    per_day = week.scenario.slots_per_day
    for play in plays:
        assert play.days == tuple(sorted({episode.onset // per_day for episode in play.without}))
        for one, other in combinations(play.without, 2):
            assert (one.unit, one.onset // per_day) != (other.unit, other.onset // per_day)
            assert max(one.approach_ns, other.approach_ns) - min(one.end_ns, other.end_ns) > twin_plays.APART


def test_attacks_are_left_out_unless_others_are_named(week: Plan) -> None:
    """Benign anomalies stay in the plan; one that is named is left out; an unknown id is refused with those there are."""
    assert [episode.id for episode in twins.chosen(week, [])] == [episode.id for episode in attacks(week)]
    benign = next(episode for episode in week.episodes if episode.row.benign)
    assert twins.chosen(week, [benign.id]) == (benign,)
    with pytest.raises(
        InputError, match=r"^--episode is 'e99': the run has no such episode: name one of e01, e02,"
    ):
        twins.chosen(week, ["e01", "e99"])
    calm = without_episodes(week, [episode.id for episode in attacks(week)])
    with pytest.raises(InputError, match="the run has no attack to leave out"):
        twins.chosen(calm, [])


def test_days_that_are_not_played_are_those_of_the_run(tmp_path: Path) -> None:
    """The stage of a twin holds the run's own shards as if they had been played there, and lacks the days that are to be played."""
    run, stage = tmp_path / "run", tmp_path / "stage"
    about = {"name": "made", "seed": 1, "first_day": "2026-03-02", "time_zone": "UTC", "duration_h": 48.0}
    plan = build_plan(Scenario.model_validate(about))
    shard_folders.prepare(run, plan)
    for day in (1, 2):
        for place in ("capture", "capture/raw"):
            (run / place / f"day-{day}-000.pcap").write_bytes(bytes([day]))
    lines = [json.dumps({"event": "x", "shard": f"day-{day}"}, separators=(",", ":")) for day in (1, 2, 1)]
    (run / "journal" / "injector.jsonl").write_text("\n".join(lines) + "\n")
    facts = {"shards": 2, "engine": "netns"}
    made_manifest(run, facts)
    twin = twin_plays.prepare(run, stage, TwinPlay((), (1,)), same_engine=True)
    assert twin == plan
    first, second = Shard.split(2, 2)
    folder = shard_folders.folder_of(stage, first)
    assert shard_folders.is_whole(folder)
    assert (folder / "capture" / "raw" / "day-1-000.pcap").read_bytes() == b"\1"
    assert (folder / "journal" / "injector.jsonl").read_text().splitlines() == [lines[0], lines[2]]
    assert not shard_folders.folder_of(stage, second).exists()
    twin_plays.prepare(run, tmp_path / "other", TwinPlay((), (1,)), same_engine=False)
    assert not (tmp_path / "other" / shard_folders.SHARDS).exists()


def made_manifest(run: Path, facts: dict[str, object]) -> None:
    """Write a manifest with some facts into a run's folder."""
    from tests.analysis.made_manifest import made_manifest as of  # noqa: PLC0415

    of(run).model_copy(update=facts).save(run)


def lay(run: Path, names: Sequence[str]) -> Path:
    """Lay a comparison with twins beside a run, in which no row was compared; return its folder."""
    folder = run / TWINS / "001"
    folder.mkdir(parents=True)
    levels = {level: tables.read_level(run, level) for level in LEVELS}
    plan = Plan.load(run / "plan.json")
    comparison = Comparison(plan, levels)
    comparison.add_clean(levels, levels, [0])
    comparison.add_twin(levels, [episode for episode in plan.episodes if episode.id in names], [0])
    stored.write(comparison.conclude(), folder)
    files = {path.name: sha256_of(path) for path in folder.iterdir()}
    TwinManifest(
        run=Manifest.load(run).id, run_manifest=digest_of(run), created=datetime(2026, 3, 3, tzinfo=UTC), engine="netns",
        episodes=tuple(names), plays=3, seconds={}, versions={}, commit="", files=files,
    ).save(folder)  # fmt: skip
    return folder


def test_an_episode_is_not_played_again(run: Path) -> None:
    """Where every episode was compared nothing is played; the result is told, by kind and by episode."""
    names = [episode.id for episode in Plan.load(run / "plan.json").episodes]
    lay(run, names)
    twins.make(run, [], netns, idle, Progress())
    summary = twins.summary(run, names[:1])
    assert {trace["episode"] for trace in summary["episodes"]} == {names[0]}
    assert summary["run"] == Manifest.load(run).id
    assert set(twins.summary(run, [])["kinds"]) == {"modification", "removal", "interception", "duplication"}


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt, OSError(28, "No space left on device"), TrustError(["x"])]
)
def test_an_interruption_leaves_nothing(run: Path, error: BaseException | type[BaseException]) -> None:
    """Whatever ends a play, the run verifies as before and holds no part of a comparison."""

    def broken(_: Plan, __: Path) -> None:
        raise error

    with pytest.raises((KeyboardInterrupt, InputError, TrustError)):
        twins.make(run, [], netns, broken, Progress())
    assert list((run / TWINS).iterdir()) == []
    assert unsealed(run, Manifest.load(run)) == []


def test_a_play_that_does_not_add_up_is_refused(run: Path) -> None:
    """A play in which the left-out attack was played all the same is not trusted."""

    def same(_: Plan, stage: Path) -> None:
        for part in ("journal", "capture"):
            shutil.copytree(run / part, stage / part, dirs_exist_ok=True)

    with pytest.raises(TrustError, match="32 frames that nothing explains"):
        twins.make(run, [], netns, same, Progress())
    assert list((run / TWINS).iterdir()) == []


def test_what_a_killed_process_leaves_is_listed(run: Path) -> None:
    """The beginning of a comparison is listed with its remedy, and is no part of the run."""
    (run / TWINS / ".making-1234").mkdir(parents=True)
    assert unsealed(run, Manifest.load(run)) == []
    found = [
        leftover for leftover in leftovers.find(run.parent, run.parent) if TWINS in str(leftover.paths[0])
    ]
    assert [leftover.remedy for leftover in found] == [f"coldaisle twin {run}"]


def test_verify_knows_twins(run: Path) -> None:
    """A whole comparison belongs to the run; a changed file, an added one, or one among them is named."""
    folder = lay(run, ["e01"])
    assert unsealed(run, Manifest.load(run)) == []
    (folder / "episodes.json").write_text("{}")
    (folder / "more.txt").touch()
    (run / TWINS / "notes.txt").touch()
    assert unsealed(run, Manifest.load(run)) == [
        "twins/notes.txt: is no comparison with twins: remove it",
        "twins/001/episodes.json: is not what the manifest says",
        "twins/001/more.txt: was added: move it out of the folder",
    ]


def test_bad_input_is_one_sentence(run: Path, tmp_path: Path, coldaisle: Call) -> None:
    """No run, no such episode, no episode at all and a run of another version end with exit 2 and one sentence; nothing is left."""
    (tmp_path / "empty").mkdir()
    assert coldaisle("twin", tmp_path / "empty")[0] == 2
    code, out, err = coldaisle("twin", run, "--episode", "e01", "e77", "--json")
    assert (code, err.count("\n")) == (2, 1)
    assert "--episode is 'e77': the run has no such episode" in json.loads(out)["error"]
    assert not (run / TWINS).exists()
    versions = {**Manifest.load(run).versions, "coldaisle": "0.0.9"}
    manifest = Manifest.load(run).model_copy(update={"versions": versions})
    manifest.save(run)
    code, _, err = coldaisle("twin", run)
    assert code == 2
    assert "only the version that made a run can play its twins: use coldaisle 0.0.9" in err


def test_the_table_gives_the_share_of_each_kind(run: Path, coldaisle: Call) -> None:
    """Options may stand anywhere; the table has one line per kind, and one per episode and level where episodes are named."""
    lay(run, [episode.id for episode in Plan.load(run / "plan.json").episodes])
    code, out, _ = coldaisle("twin", run)
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == [
        "kind",
        "duplication",
        "interception",
        "modification",
        "removal",
    ]
    code, out, _ = coldaisle("twin", "--episode", "e01", "--json", run)
    assert (code, {trace["episode"] for trace in json.loads(out)["episodes"]}) == (0, {"e01"})
    assert "e01" in coldaisle("twin", run, "--episode", "e01")[1]
