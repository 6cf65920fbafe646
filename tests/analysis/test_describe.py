"""The statistics: kinds of traffic, counts, seasonality and separation, compared with scikit-learn and with results by hand."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import mutual_info_score, roc_auc_score
from tests.analysis import made_dataset

from coldaisle_analysis.report.separation import NORMAL, PASSED, auc, best_columns
from coldaisle_analysis.report.statistics import (
    Description,
    describe,
    flag_names,
    seasonality,
    strength,
    traffic_kind,
)


@pytest.fixture(scope="module")
def described() -> Description:
    """Return the statistics of the dataset made by hand."""
    dataset = made_dataset.make()
    return describe(dataset.packets, dataset.readings)


def test_traffic_that_only_passed_is_a_kind_of_its_own() -> None:
    """A row of an episode that is no attack has neither the episode's kind nor the kind ``normal``."""
    frame = pd.DataFrame(
        {"label": [1, 0, 0], "kind": ["removal", "normal", "normal"], "episode": ["e1", "e1", ""]}
    )
    assert traffic_kind(frame).tolist() == ["removal", PASSED, NORMAL]


def test_counts_add_up_and_shares_are_of_the_kind(described: Description) -> None:
    """For every column the counts of a kind add up to its number of rows, and the shares add up to 1."""
    hours = described.counts.query("level == 'readings' and column == 'hour'").groupby("kind")
    readings = made_dataset.make().readings
    assert hours["rows"].sum().to_dict() == traffic_kind(readings).value_counts().to_dict()
    assert hours["share"].sum().tolist() == pytest.approx([1.0] * len(hours))


def test_flags_read_as_words() -> None:
    """0x18 is shown as PSH ACK, 0x02 as SYN, and 0 as none."""
    assert [flag_names(bits) for bits in (0x18, 0x02, 0)] == ["PSH ACK", "SYN", "none"]


def test_distributions_are_those_of_pandas(described: Description) -> None:
    """Median and 95 % quantile of a column in a kind equal those that pandas computes from the rows."""
    packets = made_dataset.make().packets
    values = packets.loc[packets["kind"] == "modification", "value_dev"]
    row = described.distributions.query(
        "level == 'packets' and column == 'value_dev' and kind == 'modification'"
    )
    assert row["50%"].item() == pytest.approx(values.median())
    assert row["95%"].item() == pytest.approx(values.quantile(0.95))
    assert row["count"].item() == len(values)


def test_strength_of_a_component() -> None:
    """A season without remainder has strength 1; with a remainder of the same variance the strength is about one half."""
    wave = np.sin(np.linspace(0, 40 * np.pi, 4000))
    noise = np.random.default_rng(1).normal(0, wave.std(), 4000)
    assert strength(wave, np.zeros(4000)) == 1.0
    assert strength(wave, noise) == pytest.approx(0.5, abs=0.05)
    assert strength(np.zeros(4000), noise) == 0.0


def test_a_season_stands_out_from_chance_and_noise_does_not() -> None:
    """A daily wave of 1 °C is far stronger than on rotated days; without the wave the two are close."""
    readings = made_dataset.make(days=7, episodes=0).readings
    wave = seasonality(readings)
    flat = seasonality(readings.assign(value=np.random.default_rng(2).normal(20, 0.3, len(readings))))
    assert wave["daily"].min() > wave["chance"].max() + 0.2
    assert ((flat["daily"] - flat["chance"]).abs() < 0.1).all()


def test_one_day_has_no_season() -> None:
    """With less than two days the strengths are missing instead of high."""
    assert seasonality(made_dataset.make(days=1, episodes=0).readings)["daily"].isna().all()


def test_auc_agrees_with_scikit_learn() -> None:
    """The AUC equals that of scikit-learn, with ties as well."""
    rng = np.random.default_rng(3)
    normal, other = rng.integers(0, 9, 500).astype(float), rng.integers(3, 12, 60).astype(float)
    expected = roc_auc_score([0] * 500 + [1] * 60, np.concatenate([normal, other]))
    assert auc(np.sort(normal), other) == pytest.approx(expected)


def test_information_agrees_with_scikit_learn(described: Description) -> None:
    """The mutual information of a column with three values equals that of scikit-learn, in bits."""
    packets = made_dataset.make().packets
    rows = packets[packets["kind"].isin(["normal", "duplication"])]
    expected = mutual_info_score(rows["frame_len"], rows["kind"].astype(str)) / np.log(2)
    row = described.separation.query("level == 'packets' and column == 'frame_len' and kind == 'duplication'")
    assert row["information"].item() == pytest.approx(expected, abs=1e-9)


def test_the_column_that_tells_comes_first(described: Description) -> None:
    """The attack shifts only ``value_dev``, so this column comes first, with an AUC near 1."""
    assert best_columns(described.separation, "packets", 3)[0] == "value_dev"
    row = described.separation.query("column == 'value_dev' and kind == 'modification'")
    assert row["auc"].item() > 0.99


def test_tables_are_written(described: Description, tmp_path: Path) -> None:
    """Each table becomes a CSV file with its rows."""
    described.write(tmp_path / "tables")
    for name in ("counts", "distributions", "seasonality", "separation"):
        assert len(pd.read_csv(tmp_path / "tables" / f"{name}.csv")) == len(getattr(described, name)) > 0
