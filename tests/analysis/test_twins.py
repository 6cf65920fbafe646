"""Comparison of a run with its twins, on tables made by hand: every row of the run is known, so is what its twin would have."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.analysis import made_dataset, made_run
from tests.analysis.made_manifest import made_manifest

from coldaisle_analysis import dataset
from coldaisle_analysis.columns import LEARNED, LEVELS, Level
from coldaisle_analysis.evaluation import metrics
from coldaisle_analysis.evaluation.levels import prepare
from coldaisle_analysis.twins import stored, visibility_of
from coldaisle_analysis.twins.added import Stock
from coldaisle_analysis.twins.comparison import Comparison, Outcome
from coldaisle_analysis.twins.effects import delta
from coldaisle_analysis.twins.keys import keys_of, matched
from coldaisle_analysis.twins.sides import TRACES, names_of, trace_of
from coldaisle_analysis.twins.yardstick import ALPHA, MARGIN, Pairs, distance, outside, range_of, ranges
from coldaisle_contracts.manifest import digest_of
from coldaisle_contracts.plan import Episode, Plan
from coldaisle_contracts.twins import TWINS, TwinManifest

Tables = dict[Level, pd.DataFrame]
NOTHING = float("nan")


@pytest.fixture(scope="module")
def plan() -> Plan:
    """Return the plan of the run made by hand."""
    return made_run.plan()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a run made by hand, with its dataset and a manifest."""
    folder = tmp_path_factory.mktemp("twins") / "run"
    made_run.make(folder)
    dataset.write(dataset.build(folder), folder / "dataset")
    made_manifest(folder).save(folder)
    return folder


@pytest.fixture(scope="module")
def tables(run: Path) -> Tables:
    """Return the tables of that run."""
    return dataset.build(run).levels()


def without(tables: Tables, episode: str) -> Tables:
    """Return the tables as they would be without an episode: its frames are gone, and its readings are what was sent."""
    packets, readings = tables["packets"], tables["readings"].copy()
    gone = packets["episode"].eq(episode) & packets["role"].isin(["injected", "duplicate"])
    packets = packets[~gone].copy()
    mine = packets["episode"].eq(episode) & packets["mqtt_value"].notna()
    packets.loc[mine, "mqtt_value"] += 1.0
    touched = readings["episode"].eq(episode) & readings["label"].eq(1)
    readings.loc[touched, "value"] = readings.loc[touched, "value_sent"]
    readings.loc[touched, ["missing", "deliveries"]] = [0.0, 1.0]
    readings["arrival_ns"] = readings["arrival_ns"].fillna(readings["planned_ns"])
    return {**tables, "packets": packets, "readings": readings}


def compared(plan: Plan, tables: Tables, *names: str) -> Outcome:
    """Return the comparison of the run with one twin per episode; two plays of it without any episode are alike."""
    only: tuple[Level, ...] = LEARNED
    comparison = Comparison(plan, tables, only)
    clean = tables
    for episode in plan.episodes:
        clean = without(clean, episode.id)
    comparison.add_clean(clean, clean, [0])
    for episode in episodes(plan, *names):
        comparison.add_twin(without(tables, episode.id), [episode], [0])
    return comparison.conclude()


def episodes(plan: Plan, *names: str) -> list[Episode]:
    """Return the episodes of these kinds, or all."""
    return [episode for episode in plan.episodes if not names or episode.kind in names]


@pytest.mark.parametrize(
    ("played", "unplayed", "expected"),
    [
        ([1, 2, 3], [1, 2, 3], 0.0),
        ([4, 5, 6], [1, 2, 3], 1.0),
        ([1, 2, 3], [4, 5, 6], -1.0),
        ([2, 2], [1, 2], 0.5),
        ([1, 1], [NOTHING, NOTHING], 1.0),
        ([NOTHING, NOTHING], [NOTHING, NOTHING], 0.0),
    ],
)
def test_effect_is_cliffs_delta(played: list[float], unplayed: list[float], expected: float) -> None:
    """The effect is the share of pairs that are larger less that of smaller ones; a missing value is smaller than any other."""
    assert delta(np.array(played, np.float64), np.array(unplayed, np.float64)) == expected


def test_distance_knows_missing_values() -> None:
    """Two missing values do not differ, one alone is infinitely far, and the last digits of a number do not count."""
    one, other = np.array([[1.0, NOTHING, NOTHING, 3.0]]), np.array([[1.0 + 1e-12, NOTHING, 2.0, 1.0]])
    assert distance(one, other).tolist() == [[0.0, 0.0, np.inf, 2.0]]


def test_range_keeps_its_promise() -> None:
    """Of fresh rows with the same spread at most one in a hundred leaves the range of any column, but more than none do."""
    rng = np.random.default_rng(5)
    spread = np.abs(rng.standard_cauchy((40_000, 3)))
    left = range_of(spread[:20_000]).left(spread[20_000:]).any(axis=1).mean()
    assert 0 < left <= ALPHA


def test_range_of_few_pairs_has_a_margin() -> None:
    """Few pairs give twice their largest difference; where they never differ, any difference has left the range."""
    limits = range_of(np.array([[0.0, 1.0], [0.0, 2.0]]))
    assert limits.end.tolist() == [0.0, 2.0 * MARGIN]
    assert limits.left(np.array([[0.01, 2.0 * MARGIN]])).tolist() == [[True, False]]


def test_range_covers_columns_that_are_missing_now_and_then() -> None:
    """A column that is missing on one side alone has left its range, unless that happens to clean plays, too."""
    limits = range_of(np.array([[0.0, np.inf], [0.0, 0.0]]))
    assert limits.left(np.array([[np.inf, np.inf]])).tolist() == [[True, False]]
    often = np.zeros((2_000, 2))
    often[:300, 1] = np.inf
    often[0, 0] = np.inf
    assert range_of(often).left(np.array([[np.inf, np.inf], [0.1, 0.1]])).tolist() == [
        [True, False],
        [True, True],
    ]


def test_wider_of_two_samples_holds() -> None:
    """Each sample has a range of its own, and the wider one holds; a sort without pairs has that of all sorts."""
    calm, busy = (Pairs(np.array(["a", "a"], object), np.full((2, 1), size)) for size in (1.0, 3.0))
    found = ranges(np.zeros(1), calm, busy)
    assert found["a"].end.tolist() == [3.0 * MARGIN]
    assert ranges(np.full(1, 9.0), calm)["a"].end.tolist() == [9.0]
    assert outside(found, np.array(["b"], object), np.array([[3.0 * MARGIN + 1]])).tolist() == [[True]]


def test_added_row_is_a_trace_unless_such_rows_come_and_go() -> None:
    """A row too many of a steady or unknown sort is a trace; of another sort, it needs a value that clean plays do not have."""
    stock = Stock()
    sort = np.array(["steady"] * 50 + ["fickle"] * 2, object)
    stock.add(sort, np.linspace(0, 1, 52)[:, None], sort == "fickle")
    rows = np.array([[0.5], [0.99], [7.0], [NOTHING], [0.5]])
    left, columns = stock.strange(np.array(["steady", "fickle", "fickle", "fickle", "unknown"], object), rows)
    assert left.tolist() == [True, False, True, False, True]
    assert columns[:, 0].tolist() == [False, False, True, False, False]


@pytest.mark.parametrize("level", LEVELS)
def test_every_row_is_its_own_counterpart(plan: Plan, tables: Tables, level: Level) -> None:
    """In another play with other ports, MAC addresses and numbers, every row has exactly one counterpart, itself."""
    other = {name: rows.copy() for name, rows in tables.items()}
    for name in ("tcp_srcport", "tcp_seq", "flow", "ip_id"):
        other["packets"][name] = other["packets"][name] + 7
    other["packets"]["time_ns"] += 1_000
    keys = [keys_of(play, level, plan) for play in (tables, other)]
    assert matched(*keys).tolist() == list(range(len(tables[level])))


def test_columns_have_their_group() -> None:
    """Every compared column is of one group, and each learned level has all of them."""
    for level in LEARNED:
        assert set(trace_of(level)) == set(TRACES)
        assert len(trace_of(level)) == len(names_of(level))
    groups = dict(zip(names_of("packets"), trace_of("packets"), strict=True))
    shown = [groups[name] for name in ("frame_len", "reply_s", "mqtt_value", "innovation")]
    assert shown == ["wire", "timing", "values", "values"]


def test_only_what_an_attack_changed_is_visible(plan: Plan, tables: Tables) -> None:
    """A changed value, a missing reading and added frames leave a trace; a reading that was merely read leaves none."""
    found = compared(plan, tables)
    seen = {(trace["kind"], trace["level"]): trace for trace in found.episodes}
    changed = seen["modification", "readings"]
    assert (changed["rows"], changed["visible"]) == (1, 1)
    assert changed["traces"]["values"] == {"rows": 1, "effect": 1.0, "column": "value"}
    assert changed["traces"]["timing"]["rows"] == 0
    assert seen["removal", "readings"]["visible"] == 1
    assert seen["removal", "readings"]["traces"]["wire"]["rows"] == 1
    assert seen["interception", "readings"]["visible"] == 0
    copies = seen["duplication", "packets"]
    assert copies["added"] == copies["visible"] > 0
    assert all(trace["rows"] >= trace["visible"] for trace in found.episodes)


def test_rows_that_are_gone_are_counted(plan: Plan, tables: Tables) -> None:
    """A frame of the twin that the run lacks is no row of the run: it is counted with the episode on its target."""
    episode = episodes(plan, "removal")[0]
    twin = without(tables, episode.id)
    packets = twin["packets"]
    during = packets["time_ns"].between(episode.approach_ns, episode.end_ns)
    sent = packets[during & packets["ip_src"].eq("198.18.0.41")].iloc[[-1]].copy()
    sent[["slot", "copy"]] = pd.NA
    twin["packets"] = pd.concat([packets, sent], ignore_index=True)
    comparison = Comparison(plan, tables, ["packets"])
    comparison.add_clean(tables, tables, [0])
    comparison.add_twin(twin, [episode], [0])
    assert comparison.conclude().episodes[0]["removed"] == 1


def write(run: Path, outcome: Outcome, names: list[str], number: int = 1, digest: str = "") -> Path:
    """Write a comparison into a run's folder as the testbed does."""
    folder = run / TWINS / f"{number:03d}"
    folder.mkdir(parents=True)
    stored.write(outcome, folder)
    TwinManifest(
        run=run.name, run_manifest=digest or digest_of(run), created=datetime(2026, 3, 3, tzinfo=UTC), engine="netns",
        episodes=tuple(names), plays=3, seconds={}, versions={}, commit="", files={},
    ).save(folder)  # fmt: skip
    return folder


def test_visibility_is_known_when_every_attack_was_compared(
    plan: Plan, tables: Tables, run: Path, tmp_path: Path
) -> None:
    """Rows that left a trace are told in the order of the level, as soon as the last attack of the run was compared."""
    other = tmp_path / "run"
    for name in ("plan.json", "manifest.json", "dataset"):
        other.mkdir(exist_ok=True)
        (other / name).symlink_to(run / name)
    assert visibility_of(other, "readings") is None
    first, *rest = [episode.id for episode in plan.episodes]
    write(other, compared(plan, tables, *[e.kind for e in plan.episodes if e.id == first]), [first])
    assert visibility_of(other, "readings") is None
    write(other, compared(plan, tables, *[e.kind for e in plan.episodes if e.id != first]), rest, 2)
    visible = visibility_of(other, "readings")
    assert visible is not None
    readings = tables["readings"]
    assert visible.shape == (len(readings),)
    told = readings[visible]
    assert set(told["kind"]) >= {"modification", "removal"}
    assert (told["label"] == 1).all()
    by_kind = stored.by_kind(stored.traces_of(other))
    assert by_kind["modification"]["readings"] == {"rows": 1, "visible": 1}


def test_twins_of_other_data_are_not_used(plan: Plan, tables: Tables, run: Path, tmp_path: Path) -> None:
    """A comparison of a run with another manifest says nothing about this one."""
    other = tmp_path / "run"
    other.mkdir()
    for name in ("plan.json", "manifest.json", "dataset"):
        (other / name).symlink_to(run / name)
    write(other, compared(plan, tables), [episode.id for episode in plan.episodes], digest="0" * 64)
    assert visibility_of(other, "packets") is None


def test_scores_over_visible_rows() -> None:
    """Attack rows without a trace count neither as caught nor as missed, and each kind has its ceiling; without twins nothing is said."""
    rows = made_dataset.make().readings
    level = prepare(rows, "readings")
    attack = level.labels == 1
    halves = attack & (rows["sensor"].to_numpy() <= 2)
    folds: metrics.FoldMetrics = {
        "early": {}, "fit_s": 0.0, "folds": 1, "train_rows": 0, "thresholds": [0.5]
    }  # fmt: skip
    tested = np.ones(len(rows), np.bool_)
    told = [
        metrics.scored_row(one, "day", "made", halves.astype(np.float64), halves, tested, 1, folds).row
        for one in (level, replace(level, visible=halves))
    ]
    assert "visible_rows" not in told[0]
    assert told[1]["visible_rows"] == halves.sum()
    assert set(told[1]["visible_per_kind"].values()) == {0.5}
    assert (told[1]["recall"], told[1]["recall_visible"], told[1]["f1_visible"]) == (0.5, 1.0, 1.0)
