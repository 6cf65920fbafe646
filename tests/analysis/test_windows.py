"""Flows and windows of a run made by hand: their sums, their labels, and their borders."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.analysis import made_dataset, made_run

from coldaisle_analysis import dataset
from coldaisle_analysis.dataset import Dataset
from coldaisle_analysis.dataset.aggregates import expiry, flows, windows
from coldaisle_analysis.dataset.aggregates.cut import Cut, midnight_before
from coldaisle_analysis.dataset.aggregates.moments import moments
from coldaisle_analysis.truth.frames import TRUTH
from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.errors import InputError


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Return the dataset of a run made by hand."""
    run = tmp_path_factory.mktemp("runs") / "made"
    made_run.make(run)
    return dataset.build(run)


@pytest.mark.parametrize("seed", range(5))
def test_moments_are_pandas(seed: int) -> None:
    """Minimum, mean, deviation and maximum of random groups, some of them empty, equal those of pandas."""
    rng = np.random.default_rng(seed)
    group, values = np.sort(rng.integers(0, 30, 60)), rng.normal(1e3, 1, 60)
    expected = pd.Series(values).groupby(group).agg(["min", "mean", "std", "max"]).reindex(range(30))
    computed = pd.DataFrame(moments(values, group, 30))
    pd.testing.assert_frame_equal(computed, expected, check_names=False, rtol=1e-9)


def test_every_frame_of_a_connection_is_in_one_flow(data: Dataset) -> None:
    """Frames and bytes of all flows are those of all TCP and UDP frames, and flows are numbered by their first frames."""
    carried = data.packets[data.packets["flow"] >= 0]
    table = flows.build(data.packets, data.cut)
    assert table["packets"].sum() == len(carried)
    assert table["bytes"].sum() == carried["frame_len"].sum()
    assert (table["fwd_packets"] + table["bwd_packets"]).equals(table["packets"])
    assert table["first_frame"].is_monotonic_increasing
    assert table["attack_packets"].sum() == carried["label"].sum()


def test_a_flow_is_an_attack_if_one_frame_is(data: Dataset) -> None:
    """Label, kind, episode and role of a flow are those of its first attack frame, or else of its first frame in an episode."""
    table, number = flows.build(data.packets, data.cut), expiry.number(data.packets, data.cut)
    marked = data.packets.assign(of=number)[data.packets["episode"].notna() & (number >= 0)]
    first = marked.sort_values("label", ascending=False, kind="stable").groupby("of").first()
    assert len(first) > 3
    for name in TRUTH:
        assert table[name][first.index].astype("object").tolist() == first[name].astype("object").tolist()
    assert not table["label"].drop(first.index).any()


def test_the_order_of_labels_does_not_matter(data: Dataset) -> None:
    """An attack outranks a benign anomaly, and this a frame that was only relayed, in any order."""
    frames = data.packets.iloc[:3].assign(flow=7, label=[0, 0, 1], benign=[0, 1, 0], time_ns=[0, 1, 2])
    frames["kind"], frames["episode"], frames["role"] = (
        ["normal", "door", "loss"],
        ["e1", "e2", "e3"],
        "injected",
    )
    for count, kind in ((3, "loss"), (2, "door"), (1, "normal")):
        (row,) = flows.build(frames.iloc[:count], Cut()).to_dict("records")
        assert (row["kind"], row["episode"], row["label"]) == (kind, f"e{count}", int(count == 3))


def test_windows_hold_every_frame_and_reading_of_a_sensor(data: Dataset) -> None:
    """There is one row per sensor and window; frames, PUBLISHes, deliveries and readings add up to those of their levels."""
    table = windows.build(data.packets, data.readings, Cut(data.cut.midnight_ns, 3600, window_s=900))
    of_sensors = data.packets[data.packets["client"].isin(data.readings["client_id"].astype("str"))]
    assert len(table) == 8 * 3
    assert table["packets"].sum() == data.packets["flow"].isin(of_sensors["flow"]).sum()
    assert (
        table["publishes"].sum() == ((of_sensors["mqtt_msgtype"] == 3) & (of_sensors["to_server"] == 1)).sum()
    )
    assert table["slots"].tolist() == [3] * len(table)
    assert table["missing"].sum() == 1
    assert table["deliveries"].sum() == data.readings["deliveries"].sum()
    assert table["attack_readings"].sum() == data.readings["label"].sum()
    assert table["value_max"].max() == data.packets["mqtt_value"].max()


def test_a_removed_reading_marks_its_window(data: Dataset) -> None:
    """A removed reading has no frame, and its window is labelled attack all the same."""
    table = windows.build(data.packets, data.readings, data.cut)
    removed = data.readings[data.readings["fate"] == "removed"].iloc[0]
    row = table[table["client_id"] == removed["client_id"]].iloc[0]
    assert (row["label"], row["kind"], row["episode"]) == (1, "removal", removed["episode"])
    assert (row["attack_packets"], row["attack_readings"]) == (0, 1)


def test_a_day_has_whole_windows(data: Dataset) -> None:
    """Windows start 1.5 s after local midnight and every hour from then on, and have local hour and weekday."""
    table = windows.build(data.packets, data.readings, data.cut)
    assert table["start_ns"].unique().tolist() == [data.cut.midnight_ns + 3 * SECOND // 2]
    assert table["hour"].unique().tolist() == pytest.approx([1.5 / 3600])
    assert table["weekday"].unique().tolist() == [0]
    days = made_dataset.make(days=3)
    table = windows.build(
        days.packets, days.readings, Cut(midnight_before(days.readings["planned_ns"].min(), 0))
    )
    assert table.groupby("day")["window"].nunique().tolist() == [24, 24, 24]


def test_silence_is_a_row(data: Dataset) -> None:
    """A sensor without frames in a window has a row of zeros if others have frames there."""
    mute = data.readings["client_id"].iloc[0]
    frames = data.packets[data.packets["client"] != mute].reset_index(drop=True)
    row = windows.build(frames, data.readings, data.cut).iloc[0]
    assert row["client_id"] == mute
    assert (row["publishes"], row["slots"]) == (0, 9)
    assert np.isnan(row["value_mean"])


def test_a_connection_without_connect_is_its_sensors(tmp_path: Path) -> None:
    """Where a capture starts in mid-connection the sensor is named by its address and port, and its frames are found."""
    made_run.make(tmp_path)
    path = tmp_path / "late.pcap"
    made_run.pcap(path, made_run.captured(tmp_path / "capture" / "day-1-000.pcap")[60:])
    labels = tmp_path / "labels.csv"
    frames = made_run.captured(path)
    lines = [f"{number};;;;;0" for number in range(1, len(frames) + 1)]
    labels.write_text(
        "\n".join(["frame.number;ip.src;tcp.srcport;mqtt.clientid;mqtt.msgid;label", *lines]) + "\n"
    )
    late = dataset.from_captures([path], [labels])
    table = late.levels()["windows"]
    assert table["client_id"].nunique() == 8
    assert table["client_id"].astype("str").str.fullmatch(r"198\.18\.0\.\d+:40\d+").all()
    assert table["publishes"].sum() == len(late.readings)


@pytest.mark.parametrize("length", [0, -1, float("inf")])
def test_lengths_that_cut_nothing(length: float) -> None:
    """A length that is not above 0 s is refused, and the error names it."""
    with pytest.raises(InputError, match=r"window_s is .*: give a length above 0 s"):
        Cut(window_s=length)
