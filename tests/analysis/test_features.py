"""Features of readings: they equal results by hand on small grids, and do not depend on the future."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.analysis import made_run

from coldaisle_analysis import dataset
from coldaisle_analysis.columns import names
from coldaisle_analysis.dataset import Dataset
from coldaisle_analysis.features import values
from coldaisle_analysis.features.history import COLUMNS, History
from coldaisle_analysis.features.readings import _others, _streak


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run made by hand."""
    run = tmp_path_factory.mktemp("runs") / "made"
    made_run.make(run)
    return run


@pytest.fixture(scope="module")
def data(run: Path) -> Dataset:
    """Return the dataset of the run."""
    return dataset.build(run)


def reading(data: Dataset, client: str, slot: int) -> pd.Series:
    """Return one reading."""
    table = data.readings
    return table[(table["client_id"] == client) & (table["slot"] == slot)].iloc[0]


def history(
    series: list[float], times: list[float] | None = None, keys: list[int] | None = None
) -> pd.DataFrame:
    """Return the history of values; by default one sensor sends them, at regular times. ``times`` is in s."""
    seconds = pd.Series(times or [300.0 * number for number in range(len(series))])
    sensor = np.array(keys or [0] * len(series), np.int64)
    wait = np.array(seconds.groupby(sensor).diff(), np.float64)
    columns = History().follow(sensor, np.zeros_like(sensor), wait, np.array(series, np.float64))
    return pd.DataFrame(columns, columns=list(COLUMNS)).assign(iat=wait)


def test_deviation_looks_back_only() -> None:
    """The running median leaves the value itself out and needs three values before it."""
    past = history([1.0, 2.0, 9.0, 4.0, 100.0])
    assert past["dev"].isna().tolist() == [True, True, True, False, False]
    assert past["dev"].iloc[3:].tolist() == [4.0 - 2.0, 100.0 - 3.0]


def test_deviation_forgets_after_twelve() -> None:
    """The short median covers twelve values, the long one more."""
    past = history([0.0] * 20 + [5.0] * 13)
    assert past["dev"].iloc[-1] == 0.0
    assert past["dev_long"].iloc[-1] == 5.0


def test_sensors_do_not_mix() -> None:
    """Each sensor has its own history, in whatever order the sensors send."""
    past = history([1.0, 50.0, 2.0, 60.0], [0, 1, 2, 3], [0, 1, 0, 1])
    assert past["diff"].tolist()[2:] == [1.0, 10.0]


def test_runs_of_equal_values() -> None:
    """Equal values in a row are counted; after a change the count starts again."""
    assert history([1.0, 1.0, 1.0, 2.0, 1.0])["run"].tolist() == [1, 2, 3, 1, 1]


def test_lateness_is_against_the_own_rhythm() -> None:
    """A value that is 30 s late after four regular ones has a lateness of 30 s."""
    past = history([1.0] * 6, [0, 300, 600, 900, 1200, 1530])
    assert past["late"].iloc[-1] == 30.0
    assert past["iat"].iloc[1] == 300.0


def test_median_of_the_others() -> None:
    """Each cell is compared with the other cells of its row, without missing ones."""
    table = np.array([[1.0, 2.0, 6.0], [1.0, np.nan, 3.0], [np.nan, np.nan, 3.0]])
    expected = [[4.0, 3.5, 1.5], [3.0, 2.0, 1.0], [3.0, 3.0, np.nan]]
    assert np.array_equal(values.others_median(table), expected, equal_nan=True)


def test_streaks() -> None:
    """Missing slots in a row are counted up to the present one, which is included."""
    assert _streak(np.array([[0, 1, 1, 0, 1], [1, 1, 0, 0, 0]])).tolist() == [
        [0, 1, 2, 0, 1],
        [1, 2, 0, 0, 0],
    ]


def test_sum_and_mean_of_the_others() -> None:
    """The unit's other sensors are added up or averaged; a sensor without others has 0."""
    table, group = np.array([[1.0], [2.0], [3.0], [9.0]]), pd.Series(["a", "a", "a", "b"])
    assert _others(table, group, mean=False).ravel().tolist() == [5.0, 4.0, 3.0, 0.0]
    assert _others(table, group, mean=True).ravel().tolist() == [2.5, 2.0, 1.5, 0.0]


def test_removed_reading_shows_as_missing(data: Dataset) -> None:
    """A removed reading has no value, and its own features and those of its siblings show that it is missing."""
    removed, sibling = reading(data, "132", 5), reading(data, "131", 5)
    assert removed[["deliveries", "missing", "missing_run"]].tolist() == [0, 1, 1]
    assert removed[["value", "diff", "iat"]].isna().all()
    assert 599 < removed["overdue"] < 600
    assert sibling["unit_missing"] == 1
    assert reading(data, "132", 6)["missing_run"] == 0


def test_shifted_reading_stands_out(data: Dataset) -> None:
    """A shift of 1.5 °C on one sensor shows in its difference from its siblings and in the step back of the next value."""
    shifted = reading(data, "131", 2)
    assert shifted["diff"] == pytest.approx(1.51)
    assert shifted["joint_jump"] == pytest.approx(0.01)
    assert reading(data, "131", 3)["diff"] == pytest.approx(-1.49)


def test_copies_are_counted(data: Dataset) -> None:
    """Two copies make three deliveries, with their packets and the smallest time between them."""
    copied = reading(data, "253", 6)
    assert copied[["deliveries", "packets", "slot_range"]].tolist() == [3, 9, 0]
    assert copied["min_gap"] < 300
    assert copied["last_frame"] > copied["first_frame"]
    assert reading(data, "252", 6)["unit_deliveries"] == pytest.approx(5 / 3)


def test_path_features(data: Dataset) -> None:
    """The delay of the acknowledgement and the number of ARP frames about the unit are those of the captured frames."""
    assert reading(data, "251", 0)["ack_s"] == pytest.approx(0.039)
    episode = made_run.plan().episodes[1]
    table = data.readings[data.readings["client_id"] == "251"]
    approach, end = ((table["decided_ns"] <= at).sum() for at in (episode.approach_ns, episode.end_ns))
    assert reading(data, "251", approach)[["arp_frames", "arp_conflicts"]].tolist() == [2, 1]
    assert reading(data, "251", end)[["arp_frames", "arp_conflicts"]].tolist() == [1, 0]
    assert [reading(data, "251", slot)["eth_src_changed"] for slot in (0, 3)] == [0, 1]


def test_nothing_comes_from_the_future(run: Path, data: Dataset, tmp_path: Path) -> None:
    """If the capture ends at the end of a slot, every causal column up to that slot is unchanged."""
    slot = 5
    cut = tmp_path / "cut"
    made_run.make(cut)
    until = int(data.readings.loc[data.readings["slot"] == slot, "decided_ns"].min())
    for folder, offset in (("capture", 0), ("capture/raw", made_run.OFFSET)):
        path = cut / folder / "day-1-000.pcap"
        made_run.pcap(
            path, [row for row in made_run.captured(run / folder / path.name) if row[0] + offset < until]
        )
    short = dataset.build(cut).readings
    for name in names("readings", "feature", "value", "identity", "time", "meta"):
        ours, theirs = (
            table.loc[table["slot"] <= slot, name].astype("str").fillna("")
            for table in (short, data.readings)
        )
        assert ours.tolist() == theirs.tolist(), name
