"""Foreign captures: captures of MQTT with label tables, joined by the number of the frame.

The table is ``;``-separated with the columns frame.number, ip.src, tcp.srcport, mqtt.clientid, mqtt.msgid and label,
as published with the DAD captures (Vigoya et al., Sensors 2020, 20(13), 3745).

There is no plan and no journal. A reading is a PUBLISH, a slot is a moment at which sensors publish together, and the kind
is ``attack`` where the label is 1. Labelled frames of one source that are less than an hour apart are one episode; the source is
the IP address, or the MAC address where a frame has none, as in ARP.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from coldaisle_analysis.columns import Level, conform
from coldaisle_analysis.columns import columns as columns_of
from coldaisle_analysis.columns.streams import celsius, stream_keys
from coldaisle_analysis.decoding.mqtt import PUBLISH
from coldaisle_analysis.features import packets, readings
from coldaisle_analysis.features.readings import Grid
from coldaisle_analysis.local_time import local_time
from coldaisle_analysis.truth.frames import NORMAL
from coldaisle_contracts.clock import HOUR, SECOND
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.texts import refuse_odd
from coldaisle_contracts.topics import SENSORS, is_inrow, sensor_of

HEADER = ("frame.number", "ip.src", "tcp.srcport", "mqtt.clientid", "mqtt.msgid", "label")
ATTACK = "attack"
TOGETHER = SECOND
"""Longest pause between the publishes of different sensors in one slot, in ns."""
EPISODE_GAP = HOUR
"""Shortest pause between two episodes of one source, in ns."""


def build(
    pcaps: Sequence[Path], labels: Sequence[Path], utc_offset_s: int
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return packets, messages as decoded, and readings of foreign captures.

    Raises:
        InputError: if a capture cannot be read, or a label table does not match its capture.
    """
    if not pcaps or len(pcaps) != len(labels):
        raise InputError(
            "--labels", f"give one label table for each capture: {len(pcaps)} captures", len(labels)
        )
    tables = [
        _read(path) for path in labels
    ]  # an error in a header is reported before any capture is decoded
    trace = packets.trace(pcaps, [f"day-{day}" for day in range(1, len(pcaps) + 1)], utc_offset_s)
    frames = trace.packets.assign(day=trace.frames.file + 1)
    parts = [
        match(path, table, frames[(trace.frames.file == number)], pcap)
        for number, (path, table, pcap) in enumerate(zip(labels, tables, pcaps, strict=True))
    ]
    label = np.concatenate(parts)
    frames = frames.assign(
        label=label,
        benign=np.int8(0),
        kind=np.where(label == 1, ATTACK, NORMAL),
        episode=_episodes(frames, label),
    )
    if np.isnan(celsius(_sent(trace)["payload"])).all():
        names = ", ".join(path.name for path in pcaps)
        raise InputError(names, "no MQTT PUBLISH holds a number: give captures of sensors that report values")
    complete = conform(_with_absent(frames, "packets"), "packets")
    return complete, trace.messages, _readings(trace, frames, utc_offset_s)


def _sent(trace: packets.Trace) -> pd.DataFrame:
    """Return the PUBLISH messages."""
    return trace.messages[trace.messages["msgtype"] == PUBLISH].reset_index(drop=True)


def match(path: Path, table: pd.DataFrame, frames: pd.DataFrame, pcap: Path) -> npt.NDArray[np.int8]:
    """Return the label of every frame of a capture.

    Args:
        path: path of the label table, for errors.
        table: its cells, as text.
        frames: the capture's rows of level ``packets``.
        pcap: path of the capture, for errors.

    Raises:
        InputError: naming file and line of the first row that does not match the capture.
    """
    checks = (
        (
            "frame.number",
            frames["frame_in_file"].astype("str"),
            "number the frames of the capture 1, 2, 3, …",
        ),
        (
            "ip.src",
            frames["ip_src"].astype("str").fillna(""),
            f"is not the frame's source address in {pcap.name}",
        ),
        ("tcp.srcport", _port(frames), f"is not the frame's source port in {pcap.name}"),
    )
    shared = min(len(table), len(frames))
    for name, expected, remedy in checks:
        cells = table[name].to_numpy(object)[:shared]
        stated = (cells != "") | (name == "frame.number")  # the published tables leave some cells empty
        wrong = np.flatnonzero(stated & (cells != expected.to_numpy(object)[:shared]))
        if len(wrong):
            raise InputError(f"{path}: line {wrong[0] + 2}: {name}", remedy, cells[wrong[0]])
    if len(table) != len(frames):
        problem = (
            f"has {len(table)} rows, {pcap.name} {len(frames)} frames: give the label table of this capture"
        )
        raise InputError(f"{path}: line {shared + 2}", problem)
    wrong = np.flatnonzero(~table["label"].isin(["0", "1"]))
    if len(wrong):
        raise InputError(f"{path}: line {wrong[0] + 2}: label", "write 0 or 1", table["label"].iloc[wrong[0]])
    return table["label"].to_numpy(object).astype(np.int8)


def _read(path: Path) -> pd.DataFrame:
    remedy = "give a readable label table, separated by ';'"
    refuse_odd(path, remedy)
    try:
        table = pd.read_csv(path, sep=";", dtype="str", keep_default_na=False, index_col=False)
    except (OSError, ValueError) as error:
        raise InputError(path, remedy) from error
    missing = [name for name in HEADER if name not in table]
    if missing:
        raise InputError(
            f"{path}: line 1",
            f"add the column {missing[0]}; wanted are {';'.join(HEADER)}",
            ";".join(map(str, table)),
        )
    return table


def _port(frames: pd.DataFrame) -> pd.Series:
    """Return each frame's source port as text: TCP's, else UDP's, else empty."""
    port = frames["tcp_srcport"].fillna(frames["udp_srcport"])
    return port.astype("str").fillna("")


def _episodes(frames: pd.DataFrame, label: npt.NDArray[np.int8]) -> pd.Series:
    """Number the stretches of labelled frames of each source: ``a01``, ``a02``, … in order of time.

    The source is the IP address; of a frame without one, such as ARP, the MAC address it was sent from.
    """
    source = frames["ip_src"].astype("str").fillna(frames["eth_src"].astype("str")).fillna("")
    marked = frames.loc[label == 1, "time_ns"]
    source = source[label == 1]
    starts = ~(marked.groupby(source).diff() < EPISODE_GAP)
    order = starts.cumsum().where(starts).groupby(source).ffill().astype("int64")
    names = "a" + order.astype("str").str.zfill(2)
    return pd.Series(names).reindex(frames.index)


def _readings(trace: packets.Trace, frames: pd.DataFrame, utc_offset_s: int) -> pd.DataFrame:
    grid = grid_of(_sent(trace), frames)
    at = grid.deliveries
    cell = at["sensor"] * grid.shape[1] + at["slot"]
    row = at["row"]
    table = pd.DataFrame(
        {
            **{name: grid.sensors[name].to_numpy()[at["sensor"]] for name in ("unit", "sensor", "client_id")},
            "slot": at["slot"],
            "planned_ns": at["time_ns"],
            "time": pd.to_datetime(at["time_ns"], utc=True),
            "decided_ns": grid.starts[at["sensor"], at["slot"] + 1],
            **local_time(at["time_ns"], utc_offset_s),
            "value_received": at["value"],
            "copies": 0,
            **{name: frames[name].to_numpy()[row] for name in ("day", "label", "benign", "kind", "episode")},
            **{
                name: values[cell.to_numpy()]
                for name, values in readings.of_grid(grid, frames, trace.messages).items()
            },
        }
    )
    table = table.sort_values(["unit", "sensor", "slot"], ignore_index=True)
    return conform(_with_absent(table, "readings"), "readings")


def grid_of(sent: pd.DataFrame, frames: pd.DataFrame) -> Grid:
    """Return the grid of a foreign capture: its sensors by the moments at which they publish together.

    Args:
        sent: the PUBLISH messages.
        frames: level ``packets``.
    """
    value, ip = celsius(sent["payload"]), frames["ip_src"].astype("str").to_numpy()[sent["row"]]
    sent = sent.assign(value=value, key=stream_keys(sent["client"], sent["flow"].to_numpy()), ip=ip)
    sent = sent[~np.isnan(value)].sort_values("time_ns", kind="stable", ignore_index=True)
    sensors = _sensors(sent)
    number = sent["key"].map(dict(zip(sensors["key"], sensors.index, strict=True))).to_numpy(np.int64)
    time_ns = sent["time_ns"].to_numpy(np.int64)
    slot = _slots(number, time_ns)
    starts = np.append(pd.Series(time_ns).groupby(slot).min().to_numpy(), 0)
    ends = pd.Series(time_ns).groupby(slot).max().to_numpy() + TOGETHER
    starts[1:] = np.append(np.minimum(ends[:-1], starts[1:-1]), ends[-1:])
    deliveries = pd.DataFrame(
        {
            "sensor": number,
            "slot": slot,
            "time_ns": time_ns,
            "value": sent["value"],
            "row": sent["row"],
            "flow": sent["flow"],
            "msgid": sent["msgid"].fillna(0).astype("int64"),
        }
    )
    return Grid(sensors, np.tile(starts, (len(sensors), 1)), deliveries, carry=True)


def _slots(sensor: npt.NDArray[np.int64], time_ns: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the number of each value's slot; a slot starts after a pause, and before a sensor publishes twice."""
    slots, sensors, last, slot = [], set[int](), -(1 << 62), -1
    for number, now in zip(sensor.tolist(), time_ns.tolist(), strict=True):
        if now - last > TOGETHER or number in sensors:
            slot, sensors = slot + 1, set()
        sensors.add(number)
        last = now
        slots.append(slot)
    return np.array(slots, np.int64)


def _sensors(sent: pd.DataFrame) -> pd.DataFrame:
    """Return unit and sensor number of every sensor: from an InRow's client id, else from address and order of appearance."""
    first = sent.drop_duplicates("key")
    order = first.groupby("ip").cumcount() + 1
    named = [
        _named(client, ip, number)
        for client, ip, number in zip(first["key"], first["ip"], order, strict=True)
    ]
    table = pd.DataFrame(named, columns=["unit", "sensor", "client_id", "ip"])
    return table.assign(key=first["key"].to_numpy())


def _named(client: str, ip: str, order: int) -> tuple[str, int, str, str]:
    if is_inrow(client) and int(client[-1]) in SENSORS:
        return (*sensor_of(client), client, ip)
    return ip, order, client, ip


def _with_absent(table: pd.DataFrame, level: Level) -> pd.DataFrame:
    """Add the columns that a foreign capture does not have; all their values are missing."""
    columns = columns_of(level)
    return table.assign(**{column.name: None for column in columns if column.name not in table})
