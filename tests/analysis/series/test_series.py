"""Tests of series: which numbers of whom belong together, in a capture of devices as people have them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.analysis import made_run
from tests.analysis.made_frames import FAR, NEAR

from coldaisle_analysis import dataset
from coldaisle_analysis.dataset import Dataset
from coldaisle_analysis.series.names import publisher, sensor_name, series_name
from coldaisle_analysis.series.published import Reader, Sent
from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.errors import InputError

START = 1_772_409_600 * SECOND


class Client:
    """A client of the broker whose frames are collected; its connection is open from the first frame on."""

    def __init__(self, frames: list[tuple[int, bytes]], ip: str, port: int, client_id: str | None) -> None:
        self._frames, self._ip, self._port, self._seq = frames, ip, port, [1, 1]
        if client_id is not None:
            name = client_id.encode()
            body = b"\0\4MQTT\4\2\0\x3c" + len(name).to_bytes(2) + name
            self.send(0, bytes([0x10, len(body)]) + body)

    def send(self, at_s: float, packet: bytes, *, down: bool = False) -> None:
        """Send an MQTT control packet to the broker, or let the broker send it."""
        ends, ports = ((self._ip, FAR[1]), (self._port, 1883))
        macs = (NEAR[0], FAR[0])
        if down:
            ends, ports, macs = ends[::-1], ports[::-1], macs[::-1]
        segment = made_run.tcp(ports, (self._seq[down], self._seq[not down]), 24, 1, packet)
        frame = made_run.ethernet(*macs, 0x0800, made_run.ipv4(*ends, 6, segment))
        self._frames.append((START + round(at_s * SECOND), frame))
        self._seq[down] += len(packet)

    def publish(self, at_s: float, topic: str, payload: str, *, down: bool = False) -> None:
        """Publish a payload, or let the broker deliver it."""
        body = len(topic).to_bytes(2) + topic.encode() + payload.encode()
        assert len(body) < 128
        self.send(at_s, bytes([0x30, len(body)]) + body, down=down)


def built(folder: Path, frames: list[tuple[int, bytes]], series: tuple[str, ...] = ()) -> Dataset:
    """Return the dataset of these frames, the last of which is an attack."""
    frames.sort(key=lambda frame: frame[0])
    made_run.pcap(folder / "made.pcap", frames)
    lines = ["frame.number;ip.src;tcp.srcport;mqtt.clientid;mqtt.msgid;label"]
    lines += [f"{number};;;;;{int(number == len(frames))}" for number in range(1, len(frames) + 1)]
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    return dataset.from_captures([folder / "made.pcap"], [folder / "labels.csv"], series=series)


def summary(table: pd.DataFrame) -> dict[str, tuple[str, int, str, list[float]]]:
    """Return unit, sensor, client id and values of each series."""
    return {
        str(name): (
            str(rows["unit"].iloc[0]),
            int(rows["sensor"].iloc[0]),
            str(rows["client_id"].iloc[0]),
            rows["value"].tolist(),
        )
        for name, rows in table.groupby("series", observed=True)
    }


def test_publishers_topics_and_fields_are_series(tmp_path: Path) -> None:
    """A series is one field of one topic of one publisher; deliveries, times and texts are none of them, and all are counted."""
    frames: list[tuple[int, bytes]] = []
    station = Client(frames, "198.18.0.41", 40001, "meter-1")
    other = Client(frames, "198.18.0.42", 40002, "meter-2")
    anonymous = [Client(frames, f"198.18.0.{50 + number}", 40003, "") for number in range(2)]
    unseen = Client(frames, "198.18.0.60", 40005, None)
    dashboard = Client(frames, "198.18.0.99", 50000, "dashboard")
    for at in range(60, 241, 60):
        station.publish(at, "line1", f'{{"ts": {START // SECOND + at}, "t": {at}, "h": "4{at % 7}"}}')
        station.publish(at + 0.1, "pressure", f"{1000 + at} hPa")
        other.publish(at + 0.2, "line1", f'{{"t": {-at}}}')
        for number, client in enumerate(anonymous):
            client.publish(at + 0.3, "t", str(number))
        unseen.publish(at + 0.4, "t", "7")
        dashboard.publish(at + 0.5, "pressure", f"{1000 + at} hPa", down=True)
        other.publish(at + 0.6, "state", "on")
    data = built(tmp_path, frames)
    ats = [60.0, 120.0, 180.0, 240.0]
    assert summary(data.readings) == {
        "meter-1:line1#t": ("198.18.0.41", 1, "meter-1", ats),
        "meter-1:line1#h": ("198.18.0.41", 2, "meter-1", [44.0, 41.0, 45.0, 42.0]),
        "meter-1:pressure": ("198.18.0.41", 3, "meter-1", [1000 + at for at in ats]),
        "meter-2:line1#t": ("198.18.0.42", 1, "meter-2", [-at for at in ats]),
        "198.18.0.50:t": ("198.18.0.50", 1, "198.18.0.50", [0.0] * 4),
        "198.18.0.51:t": ("198.18.0.51", 1, "198.18.0.51", [1.0] * 4),
        "198.18.0.60:40005:t": ("198.18.0.60", 1, "198.18.0.60:40005", [7.0] * 4),
    }
    assert data.recognised == (
        "7 series of 5 clients, 28 readings; PUBLISH messages: 12 of text, 8 of JSON, 4 of text with unit; "
        "4 without a number; 4 delivered to subscribers"
    )
    delivered = data.packets[(data.packets["mqtt_msgtype"] == 3) & (data.packets["to_server"] == 0)]
    assert len(delivered) == 4
    assert delivered["mqtt_value"].isna().all()
    assert delivered["series"].isna().all()
    windows = data.levels()["windows"].groupby("series", observed=True)[["publishes", "packets"]].sum()
    assert windows["publishes"].tolist() == [4] * 7
    assert (
        windows["packets"].to_dict()["meter-1:line1#t"]
        == windows["packets"].to_dict()["meter-1:pressure"]
        == 9
    )


def test_series_are_chosen(tmp_path: Path) -> None:
    """Patterns choose series for readings and frames alike; a pattern that fits none is an error that names some."""
    frames: list[tuple[int, bytes]] = []
    station = Client(frames, "198.18.0.41", 40001, "station")
    for at in range(60, 241, 60):
        station.publish(at, "line1", f'{{"seq": {at // 60}, "t": {20 + at / 60}}}')
    data = built(tmp_path, frames, ("*#t",))
    assert summary(data.readings) == {
        "station:line1#t": ("198.18.0.41", 1, "station", [21.0, 22.0, 23.0, 24.0])
    }
    assert data.packets["mqtt_value"].dropna().tolist() == [21.0, 22.0, 23.0, 24.0]
    with pytest.raises(
        InputError, match=r"--series is '\*#u': no series .* there are station:line1#seq, station:line1#t"
    ):
        built(tmp_path, frames, ("*#u",))


def test_names_of_publishers_and_series() -> None:
    """A client id names its publisher, then the address; only an InRow's id names a sensor without its topic."""
    assert publisher("134", "198.18.0.41", 1) == "134"
    assert publisher("", "198.18.0.41", 1) == "198.18.0.41"
    assert publisher(None, "198.18.0.41", 40001) == "198.18.0.41:40001"
    assert series_name("134-2", "IoT", "") == "134-2"
    assert series_name("134", "plant", "") == "134:plant"
    assert series_name("134", "IoT", "t") == "134:IoT#t"
    assert (sensor_name("134-2"), sensor_name("meter-1:t")) == ("134", "meter-1:t")


def test_a_reader_follows_messages_as_they_come() -> None:
    """Messages one by one have the values that they have all at once."""
    payloads = [b"1", b'{"t": 2}', b"on", b"4 V"]
    times = START + np.arange(4, dtype=np.int64)

    def sent(places: list[int]) -> Sent:
        hosts = ["198.18.0.41"] * len(places)
        return Sent(
            np.array(places),
            ["m"] * len(places),
            hosts,
            times[places],
            ["t"] * len(places),
            [payloads[place] for place in places],
        )

    whole, reader = Reader().first(sent([0, 1, 2, 3])), Reader()
    single = [reader.first(sent([place])) for place in range(4)]
    assert whole.series == [name for part in single for name in part.series] == ["m:t", "m:t#t", "m:t", "m:t"]
    assert np.array_equal(whole.value, [1.0, 2.0, np.nan, 4.0], equal_nan=True)
    assert np.array_equal(whole.value, np.concatenate([part.value for part in single]), equal_nan=True)
