"""The analysis of a campaign: what is learned from which weeks, and what comes of it. The weeks are made by hand."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from sklearn.ensemble import HistGradientBoostingClassifier
from tests.analysis import made_dataset
from tests.analysis.made_manifest import made_manifest
from tests.analysis.test_schemas import SCHEMAS

from coldaisle_analysis import dataset
from coldaisle_analysis.campaign import analyse, analysis, figures, learners, level
from coldaisle_analysis.campaign.findings import best_of, kind_rows
from coldaisle_analysis.campaign.fits import Fit, _sample, learned
from coldaisle_analysis.campaign.joined import join
from coldaisle_analysis.campaign.level import LevelAnalysis, left_out, of_kind, sizes_of
from coldaisle_analysis.campaign.results import CampaignMetrics
from coldaisle_analysis.campaign.selection import select
from coldaisle_analysis.campaign.sites import site_of
from coldaisle_analysis.campaign.store import Store, names_of, outline
from coldaisle_analysis.detection import Detector
from coldaisle_analysis.evaluation.levels import prepare
from coldaisle_analysis.features.path import COLUMNS, path_columns
from coldaisle_analysis.weeks import CampaignData
from coldaisle_contracts.campaign import CAMPAIGN, TASKS, WEEKS, Size
from coldaisle_contracts.errors import InputError

SIZES: tuple[Size, ...] = ("S", "M", "L")
BEST = "gradient_boosting"
FEW = ("rule", "random_forest", BEST)
"""The models that these tests learn."""
FILE = """name = "tiny"
scenarios = ["made.toml", "other.toml"]
seeds = "1-4"
[roles]
train = "1-2"
validate = "3"
test = "4"
"""
ROLES = {1: "train", 2: "train", 3: "validate", 4: "test"}


def serial(function: Callable[..., Any], jobs: Sequence[tuple[Any, ...]]) -> Iterator[Any]:
    """Do jobs one after another."""
    return (function(*job) for job in jobs)


def make(folder: Path, scenarios: Sequence[str] = ("made",), **versions: str) -> Path:
    """Make a campaign of four weeks of two days for each scenario; each week has an episode a day and noise of its own.

    Args:
        folder: the folder to make.
        scenarios: names of its scenarios.
        versions: version of coldaisle of weeks by name, such as ``made_2``.
    """
    folder.mkdir()
    (folder / CAMPAIGN).write_text(FILE)
    tasks = []
    for place, scenario in enumerate(scenarios):
        for seed, role in ROLES.items():
            digest = f"{place}{seed:015x}"
            run = folder / WEEKS / digest
            dataset.write(made_dataset.make(days=2, episodes=2, seed=100 * place + seed), run / "dataset")
            version = {"coldaisle": versions.get(f"{scenario}_{seed}", "0.2.0")}
            counts = made_manifest(run).counts | {"packets": 4608, "readings": 4608, "episodes": 2, "days": 2}
            own = {
                "scenario": scenario,
                "seed": seed,
                "versions": version,
                "seconds": {"play": 36.0},
                "counts": counts,
            }
            made_manifest(run).model_copy(update=own).save(run)
            tasks.append(
                {
                    "scenario": scenario,
                    "seed": seed,
                    "role": role,
                    "size": "S",
                    "digest": digest,
                    "command": ["true"],
                }
            )
    (folder / TASKS).write_text("".join(json.dumps(task) + "\n" for task in tasks))
    return folder


def _small(seed: int, _: Sequence[str]) -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(max_iter=10, random_state=seed)


@pytest.fixture(scope="module", autouse=True)
def few_models() -> Iterator[None]:
    """Learn few models."""
    with pytest.MonkeyPatch.context() as patch:
        table = {name: learners.LEARNERS[name] for name in FEW}
        table[BEST] = replace(table[BEST], model=replace(table[BEST].model, make=_small))
        for module in (level, learners):
            patch.setattr(module, "LEARNERS", table)
        patch.setattr(level, "CURVE", FEW)
        patch.setattr(analysis, "CURVE", FEW)
        yield


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a campaign of two scenarios; read only."""
    return make(tmp_path_factory.mktemp("campaign") / "tiny", ("made", "other"))


@pytest.fixture(scope="module")
def results(
    campaign: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[CampaignMetrics, Path, list[str]]:
    """Return the results of that campaign, their folder, and the lines of progress."""
    folder, lines = tmp_path_factory.mktemp("results"), list[str]()
    return analyse(campaign, folder, lines.append, mapper=serial), folder, lines


@pytest.fixture
def readings(campaign: Path, tmp_path: Path) -> LevelAnalysis:
    """Return level readings of the campaign, ready to be learned."""
    data = CampaignData(campaign)
    return LevelAnalysis(data, select(data, SIZES), "readings", tmp_path, serial, 1)


def numbers(metrics: CampaignMetrics) -> str:
    """Return results as text, without the times that differ from call to call."""
    times = {"fit_s": 0.0, "predict_s": 0.0}
    rows = [{**row, **times} for row in metrics["models"]]
    return json.dumps({**metrics, "models": rows, "cost": None})


def test_results_report_and_detectors_are_written(
    results: tuple[CampaignMetrics, Path, list[str]],
) -> None:
    """The folder holds results of both levels that conform to the schema, a page and detectors, and no prepared rows."""
    _, folder, lines = results
    written = json.loads((folder / "models" / "metrics.json").read_text())
    validator = Draft202012Validator(json.loads((SCHEMAS / "campaign-metrics.json").read_text()))
    assert best_match(validator.iter_errors(written)) is None
    assert {row["level"] for row in written["models"]} == {"packets", "readings"}
    assert written["train"] == ["made-1", "other-1", "made-2", "other-2"]
    assert written["test"] == ["made-4", "other-4"]
    assert written["cost"]["play_h"] == pytest.approx(8 * 36 / 3600)
    assert not (folder / ".rows").exists()
    detectors = {path.name for path in (folder / "models").glob("*.skops")}
    assert detectors == {f"packets.{model}.skops" for model in FEW}
    for path in (folder / "models").glob("*.skops"):
        assert set(Detector.load(path).policies) == {"best F1", "1 a day", "1 a week", "early"}
    page = (folder / "report" / "index.html").read_text()
    assert "<title>Campaign tiny" in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert lines[0] == "8 weeks of made, other: 4 to train, 2 to validate, 2 to test"


def test_shifted_values_are_detected(results: tuple[CampaignMetrics, Path, list[str]]) -> None:
    """Values that are 3 °C too warm, ten times the noise, are detected at both levels."""
    rows = results[0]["models"]
    for name in ("packets", "readings"):
        assert best_of([row for row in rows if row["level"] == name])["f1"] > 0.9


def test_intervals_contain_the_value(results: tuple[CampaignMetrics, Path, list[str]]) -> None:
    """Every interval of a score contains the score."""
    metrics = results[0]
    rows = [*metrics["models"], *metrics["curve"], *metrics["transfer"]]
    assert len(rows) > 20
    for row in rows:
        for name in ("precision", "recall", "f1"):
            low, high = row["intervals"][name]
            assert low <= row[name] <= high
    for kind in metrics["kinds"]:
        assert kind["interval"][0] <= kind["recall"] <= kind["interval"][1]


def test_a_curve_ends_at_all_weeks(results: tuple[CampaignMetrics, Path, list[str]]) -> None:
    """A learning curve has 1, 2 and 4 weeks of training, and its last point is the model's row."""
    metrics = results[0]
    points = [
        point
        for point in metrics["curve"]
        if (point["level"], point["model"]) == ("readings", "random_forest")
    ]
    assert sorted(point["weeks"] for point in points) == [1, 2, 4]
    assert sorted(point["train_episodes"] for point in points) == [2, 4, 8]
    row = next(
        row for row in metrics["models"] if (row["level"], row["model"]) == ("readings", "random_forest")
    )
    assert [point["f1"] for point in points if point["weeks"] == 4] == [row["f1"]]
    assert list(sizes_of(1)) == [1]
    assert list(sizes_of(16)) == [1, 2, 4, 8, 16]
    assert list(sizes_of(5)) == [1, 2, 4, 5]


def test_every_pair_of_scenarios_is_tested(results: tuple[CampaignMetrics, Path, list[str]]) -> None:
    """The transfer has a row for each scenario, and for all together, on each scenario."""
    pairs = {(row["trained_on"], row["tested_on"]) for row in results[0]["transfer"]}
    assert pairs == {(one, other) for one in ("all", "made", "other") for other in ("made", "other")}


def test_the_same_weeks_give_the_same_results(
    results: tuple[CampaignMetrics, Path, list[str]], campaign: Path, tmp_path: Path
) -> None:
    """A second analysis, whose jobs are done by other processes, gives the same numbers."""
    assert numbers(analyse(campaign, tmp_path, print)) == numbers(results[0])


def test_thresholds_come_from_validation_weeks(readings: LevelAnalysis) -> None:
    """A threshold and policies do not depend on labels of test weeks, and do on those of validation weeks."""
    whole = readings.subset(readings.selection.of("train"))
    (fitted,) = readings.done([readings.fit(BEST, whole)])
    before = readings.measured(fitted)
    clean = np.zeros_like(readings.test.level.labels)
    readings.test = replace(readings.test, level=replace(readings.test.level, labels=clean))
    after = readings.measured(fitted)
    assert after.limit == before.limit
    assert after.policies("unit") == before.policies("unit")
    level_ = readings.validation.level
    readings.validation = replace(
        readings.validation, level=replace(level_, labels=np.zeros_like(level_.labels))
    )
    assert readings.measured(fitted).limit != before.limit


def test_no_row_of_a_held_out_week_is_learned_from(readings: LevelAnalysis) -> None:
    """A model can be fitted, and a site be learned, where every file of the validation and test weeks is gone; and equals the one before."""
    whole = readings.subset(readings.selection.of("train"))
    fit = readings.fit(BEST, whole)
    rows = Store(readings.folder, "readings").inputs(whole.weeks[0].name, whole.weeks[0].site)
    before, count = learned(fit)
    for week in readings.selection.of("validate", "test"):
        for path in readings.folder.glob(f"readings.{week.digest}.*"):
            path.unlink()
    after, again = learned(fit)
    assert count == again == 4 * 4608
    assert before is not None
    assert after is not None
    assert np.array_equal(before.predict_proba(rows), after.predict_proba(rows))
    names = [week.digest for week in readings.selection.of("train")]
    assert site_of(Store(readings.folder, "readings"), names).keys


def test_a_kind_left_out_is_not_learned_from(readings: LevelAnalysis) -> None:
    """With a kind left out, no attack row of it is among the rows that are fitted on, and every other attack row is."""
    whole = readings.subset(readings.selection.of("train"))
    fits = left_out(readings, whole)
    assert set(fits) == {"", "duplication", "modification"}
    store = Store(readings.folder, "readings")
    attacks = sum(int(store.labels(week.name).sum()) for week in whole.weeks)
    own = sum(int(store.of_kind(week.name, "duplication").sum()) for week in whole.weeks)
    assert 0 < own < attacks
    assert drawn_attacks(fits[""]) == attacks
    assert drawn_attacks(fits["duplication"]) == attacks - own


def drawn_attacks(fit: Fit) -> int:
    """Return the number of attack rows that a fit learns from."""
    return int(_sample(fit, learners.LEARNERS[fit.model])[1].sum())


def test_a_sample_has_the_same_number_of_rows_of_each_week(readings: LevelAnalysis) -> None:
    """A bound on rows divides by the weeks; attacks come first."""
    whole = readings.subset(readings.selection.of("train"))
    fit = readings.fit(BEST, whole, most_rows=4000)
    rows, labels = _sample(fit, learners.LEARNERS[BEST])
    assert rows.shape == (4000, len(names_of("readings")))
    assert rows.dtype == np.float32
    assert labels.sum() == sum(Store(fit.folder, "readings").labels(week.name).sum() for week in whole.weeks)


def test_what_left_a_trace_is_counted_by_kind(readings: LevelAnalysis) -> None:
    """Where twins tell which rows left a trace, each kind has the share of these and the recall among them."""
    whole = readings.subset(readings.selection.of("train"))
    fits = left_out(readings, whole)
    left = dict(zip(fits, readings.done(list(fits.values())), strict=True))
    of_modification = of_kind(readings.test, "modification")
    readings.test = replace(readings.test, visible=of_modification)
    rows = {row["kind"]: row for row in kind_rows(readings, whole, BEST, of_modification, left)}
    assert rows["modification"]["seen"] == rows["modification"]["recall_of_seen"] == 1
    assert rows["duplication"]["seen"] == rows["duplication"]["recall"] == 0
    assert np.isnan(rows["duplication"]["recall_of_seen"])


def test_weeks_in_a_row_stay_apart() -> None:
    """Joined weeks keep their rows, days and cases; episodes, groups and streams of two weeks differ, and time goes on."""
    levels = [
        outline(prepare(made_dataset.make(days=2, episodes=2, seed=seed).readings, "readings"))
        for seed in (1, 2)
    ]
    held = join(levels, ["one", "two"], [None, None])
    whole, half = held.level, len(levels[0].labels)
    assert whole.days == pytest.approx(sum(level_.days for level_ in levels))
    assert not set(whole.groups[:half]) & set(whole.groups[half:])
    attacked = whole.labels == 1
    first = np.arange(len(attacked)) < half
    assert not set(whole.episodes[attacked & first]) & set(whole.episodes[attacked & ~first])
    assert whole.known_ns[first].max() < whole.known_ns[~first].min()
    for kind, cases in whole.cases.items():
        assert len(cases.rows) == sum(len(level_.cases[kind].rows) for level_ in levels)
        assert not set(cases.streams[:half]) & set(cases.streams[half:])
        assert sorted(cases.order) == list(range(len(attacked)))
        assert all(
            whole.labels[rows].any() for rows, hit in zip(cases.rows, cases.attacked, strict=True) if hit
        )
    assert held.rows_of(["two"]).tolist() == (~first).tolist()


def test_path_columns_remember_a_claim_and_look_back_only() -> None:
    """A claim of the unit's address is remembered until the address is named without one; later slots change no earlier column."""
    slots = 40
    table: dict[str, pd.Series] = {
        "unit": pd.Series(["inrow-13"] * slots), "slot": pd.Series(range(slots)), "ack_s": pd.Series([1e-5] * 10 + [1e-2] * 30),
        "arp_frames": pd.Series([0.0] * slots), "arp_conflicts": pd.Series([0.0] * slots),
        **{name: pd.Series([0.0] * slots) for name in ("missing", "deliveries", "dev_siblings", "late", "retransmissions")},
    }  # fmt: skip
    table["arp_frames"][[10, 20]], table["arp_conflicts"][10], table["late"][12] = 1.0, 1.0, -7.0
    rows = pd.DataFrame(path_columns(table), columns=list(COLUMNS))
    assert rows["claim_age"][[9, 10, 15]].fillna(-1).tolist() == [-1, 0, 5]
    assert rows["claim_stands"][[9, 10, 19, 20, 39]].tolist() == [0, 1, 1, 0, 0]
    assert rows["late_since_claim"][[11, 12, 39]].tolist() == [0, 7, 7]
    assert rows["late_lately"][[12, 13]].tolist() == [7, pytest.approx(5.6)]
    assert rows["ack_rise"][15] == pytest.approx(3.0)
    earlier = pd.DataFrame(
        path_columns({name: column[:25] for name, column in table.items()}), columns=list(COLUMNS)
    )
    pd.testing.assert_frame_equal(earlier, rows[:25])


@pytest.mark.parametrize(
    ("gone", "sentence"),
    [
        ((4,), "none of its test weeks was played"),
        ((3,), "none of its validate weeks was played"),
        ((1, 2), "none of its train weeks was played"),
    ],
)
def test_a_role_without_weeks_is_refused(tmp_path: Path, gone: tuple[int, ...], sentence: str) -> None:
    """A role of which no week was played is named in one sentence, and nothing is written."""
    folder = make(tmp_path / "tiny")
    for seed in gone:
        (folder / WEEKS / f"0{seed:015x}" / "manifest.json").unlink()
    with pytest.raises(InputError, match=sentence):
        analyse(folder, tmp_path / "out", print)
    assert not (tmp_path / "out").exists()


def test_a_campaign_without_test_weeks_is_refused(tmp_path: Path) -> None:
    """A campaign, or a size of it, that has no week for a role is told to name some."""
    folder = make(tmp_path / "tiny")
    with pytest.raises(InputError, match=r"it has no train week of size M: name some under \[roles\]"):
        analyse(folder, tmp_path / "out", print, sizes=("M",))


def test_weeks_of_two_versions_are_refused(tmp_path: Path) -> None:
    """The week that another version of coldaisle played is named."""
    folder = make(tmp_path / "tiny", made_2="0.1.0")
    with pytest.raises(
        InputError, match=r"played by coldaisle 0\.1\.0, the others by 0\.2\.0: remove it"
    ) as refused:
        analyse(folder, tmp_path / "out", print)
    assert "made-2" in str(refused.value)


def test_scenarios_of_one_installation_share_a_site(campaign: Path) -> None:
    """Scenarios with the same units and site parameters have one site, others have their own."""
    selection = select(CampaignData(campaign), SIZES)
    sites = {week.scenario: selection.site_of(week) for week in selection.weeks}
    assert sites == {"made": "made", "other": "other"}
    same = {
        digest: manifest.model_copy(update={"definition": {"units": ["inrow-13"], "site": {}}})
        for digest, manifest in selection.manifests.items()
    }
    shared = replace(selection, manifests=same)
    assert {shared.site_of(week) for week in shared.weeks} == {"made"}


@pytest.mark.parametrize(
    ("weeks", "labels"),
    [
        ([], []),
        ([3], ["3"]),
        ([1, 2, 4, 8, 9], ["1", "2", "4", "", "9"]),
        ([1, 2, 4, 6], ["1", "2", "4", "6"]),
        ([16, 32, 36], ["16", "", "36"]),
    ],
)
def test_labels_of_a_learning_curve_do_not_touch(weeks: list[int], labels: list[str]) -> None:
    """A number that the next one follows closely has no label; the last one always has."""
    assert figures.labels_of(weeks) == labels
