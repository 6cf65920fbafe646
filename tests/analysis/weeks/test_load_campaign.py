"""The weeks of a campaign: read one at a time, lazily as one dataset, and in the form of scikit-learn's loaders."""

import shutil
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet  # type: ignore[import-untyped]
import pytest
from tests.analysis import made_campaign

from coldaisle_analysis import load_campaign, load_run
from coldaisle_analysis.columns import LEVELS, Level, names
from coldaisle_analysis.weeks import CampaignData, schema_of
from coldaisle_contracts.campaign import TASKS
from coldaisle_contracts.errors import InputError


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory, made_week: Path) -> Path:
    """Return a campaign of four weeks; read only."""
    return made_campaign.make(tmp_path_factory.mktemp("campaigns") / "made", made_week)


@pytest.mark.parametrize("level", LEVELS)
def test_each_week_comes_with_its_rows(campaign: Path, level: Level) -> None:
    """Weeks come in the order of the tasks, each with the rows of its run, in the one schema that the columns of the level give."""
    data = CampaignData(campaign)
    yielded = list(data.tables(level))
    assert [week.name for week, _ in yielded] == ["made-1", "made-2", "made-3", "made-4"]
    for week, table in yielded:
        assert table.schema == schema_of(level)
        assert table.schema.names == names(level)
        whole = pa.parquet.read_table(data.folder.run_of(week) / "dataset" / f"{level}.parquet")
        assert table.num_rows == whole.num_rows
        assert table["episode"].to_pylist() == whole["episode"].to_pylist()


def test_weeks_are_chosen_by_role_scenario_and_size(campaign: Path) -> None:
    """Role, scenario and size choose weeks, and columns can be named."""
    data = CampaignData(campaign)
    assert [week.seed for week, _ in data.tables("readings", "train")] == [1, 2]
    assert [week.seed for week, _ in data.tables("readings", sizes=("S",))] == [1, 3, 4]
    assert list(data.tables("readings", scenario="week")) == []
    _, table = next(data.tables("readings", columns=["label", "kind"]))
    assert table.schema.names == ["label", "kind"]


@pytest.mark.parametrize("level", LEVELS)
def test_rows_are_those_of_the_runs(campaign: Path, level: Level) -> None:
    """Loaded as a frame, the rows of each week are those that ``load_run`` loads of its run, dtypes included."""
    bunch = load_campaign(campaign, level=level, as_frame=True)
    run = load_run(made_campaign.week_of(campaign, 3), level=level, as_frame=True)
    rows = bunch.frame[bunch.frame["week"] == "made-3"].drop(columns=["subset", "week"])
    text = [name for name in rows if rows[name].dtype == "category"]
    plain = dict.fromkeys(text, "object")
    pd.testing.assert_frame_equal(
        rows.reset_index(drop=True).astype(plain), run.frame.reset_index(drop=True).astype(plain)
    )
    assert bunch.feature_names == run.feature_names
    assert {f"made-3/{group}" for group in run.groups} == {
        group for group in bunch.groups if group.startswith("made-3/")
    }


def test_subsets_are_whole_weeks(campaign: Path) -> None:
    """A subset has the rows of its weeks, and together they are all rows."""
    counts = {
        subset: load_campaign(campaign, subset=subset).count_rows()
        for subset in ("train", "validate", "test", "all")
    }
    assert counts["train"] == 2 * counts["validate"] == 2 * counts["test"]
    assert counts["all"] == 4 * counts["test"]
    data, target = load_campaign(campaign, subset="test", return_X_y=True)
    bunch = load_campaign(campaign, subset="test", lazy=False)
    np.testing.assert_array_equal(bunch.data, data)
    np.testing.assert_array_equal(bunch.target, target)
    assert bunch.frame is None
    assert (
        "subset test (subsets are whole weeks): 16,128 rows of the weeks made-4; 216 rows of 6 episodes are attacks"
        in bunch.DESCR
    )


def test_duckdb_and_polars_query_a_dataset(campaign: Path) -> None:
    """DuckDB and Polars query the dataset with filters on week and kind, and count what pandas counts."""
    rows = load_campaign(campaign)
    frame = load_campaign(campaign, as_frame=True).frame
    wanted = (frame["week"] == "made-2") & (frame["kind"] == "duplication")
    query = "SELECT count(*) FROM rows WHERE week = 'made-2' AND kind = 'duplication'"
    assert duckdb.execute(query).fetchall() == [(int(wanted.sum()),)]
    lazy = pl.scan_pyarrow_dataset(rows).filter(
        (pl.col("week") == "made-2") & (pl.col("kind") == "duplication")
    )
    assert lazy.collect().height == int(wanted.sum()) > 0


def test_weeks_that_were_not_played_are_missing(tmp_path: Path, made_week: Path) -> None:
    """What was not played is not loaded, and is named; without a week of a subset there is nothing to load."""
    campaign = made_campaign.make(tmp_path / "made", made_week, played=(2,))
    data = CampaignData(campaign)
    assert [week.seed for week in data.weeks()] == [2]
    assert [week.seed for week in data.missing()] == [1, 3, 4]
    with pytest.raises(InputError, match="no week of subset test was played: run the campaign first"):
        load_campaign(campaign, subset="test")


def test_damaged_and_foreign_folders(tmp_path: Path, made_week: Path) -> None:
    """A folder that is no campaign, a file that is missing, altered or of other columns, and the run of another week are refused."""
    with pytest.raises(
        InputError, match="name the folder of a campaign, or what `coldaisle campaign export` made of it"
    ):
        load_campaign(made_week)
    with pytest.raises(InputError, match="it is no campaign"):
        CampaignData(made_week)
    campaign = made_campaign.make(tmp_path / "made", made_week)
    file = made_campaign.week_of(campaign, 1) / "dataset" / "readings.parquet"
    table = pa.parquet.read_table(file)
    pa.parquet.write_table(table.drop_columns(["spread"]), file)
    with pytest.raises(InputError, match="it is not the file that the week's manifest names"):
        list(CampaignData(campaign).tables("readings"))
    with pytest.raises(InputError, match="column spread is missing: play the week again"):
        load_campaign(campaign)
    for content in (b"PAR1", None):
        file.write_bytes(content) if content else file.unlink()
        with pytest.raises(InputError, match=r"readings\.parquet: it is missing or is no Parquet file"):
            load_campaign(campaign)
    first, second = (made_campaign.week_of(campaign, seed) for seed in (1, 2))
    shutil.rmtree(first)
    shutil.copytree(second, first)
    with pytest.raises(
        InputError, match="is 'made-2': it is not made-1: remove it, and run the campaign again"
    ):
        list(CampaignData(campaign).tables("readings"))


def test_damaged_tasks(campaign: Path, tmp_path: Path) -> None:
    """A line of the tasks that is no task is named."""
    copy = shutil.copytree(campaign, tmp_path / "copy")
    with (copy / TASKS).open("a") as file:
        file.write('{"scenario": "made"}\n')
    with pytest.raises(InputError, match=r"tasks\.jsonl: line 5: key seed: add it, because it is required"):
        load_campaign(copy)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"level": "frames"}, "level is 'frames': use one of packets, messages, readings, flows, windows"),
        ({"subset": "validation"}, "subset is 'validation': use one of train, validate, test, all"),
        ({"scenario": "stealth"}, "no week of scenario stealth was played"),
    ],
)
def test_unknown_words(campaign: Path, words: dict[str, str], message: str) -> None:
    """An unknown level, subset or scenario is refused."""
    with pytest.raises(InputError, match=message):
        load_campaign(campaign, **words)  # type: ignore[arg-type]


def test_a_file_that_is_damaged_inside(campaign: Path, tmp_path: Path) -> None:
    """A file whose rows cannot be read is named when they are read into memory."""
    copy = shutil.copytree(campaign, tmp_path / "copy")
    file = made_campaign.week_of(copy, 2) / "dataset" / "windows.parquet"
    content = bytearray(file.read_bytes())
    footer = 8 + int.from_bytes(content[-8:-4], "little")
    content[4:-footer] = bytes(len(content) - footer - 4)
    file.write_bytes(content)
    with pytest.raises(
        InputError, match=rf"{made_campaign.week_of(copy, 2).name}/dataset/windows\.parquet: it is damaged"
    ):
        load_campaign(copy, level="windows", lazy=False)
