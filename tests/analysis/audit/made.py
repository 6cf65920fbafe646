"""A labelled table without a flaw, and the same with one planted."""

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from coldaisle_analysis.audit import tables
from coldaisle_analysis.audit.subject import Subject

DAYS, FLOWS, FEATURES = 8, 120, 8
PACKETS = ((0, 0x02), (1, 0x12), (0, 0x10), (0, 0x18), (1, 0x18), (0, 0x10))
"""Direction and TCP flags of a flow's packets: handshake, a message, its answer, an acknowledgement."""
KINDS = ("shift", "flood", "scan")
ATTACKED = 0.1
NUMBERS = [*(f"f{number}" for number in range(FEATURES)), "frame_len", "tcp_len", "tcp_gap"]
Frame = pd.DataFrame
Plant = Callable[[Frame], Frame]


def table(seed: int = 5) -> Frame:
    """Return eight days of flows, one in ten attacked: at any hour, from anywhere, in both directions."""
    rng = np.random.default_rng(seed)
    flows = DAYS * FLOWS
    day = np.repeat(np.arange(DAYS), FLOWS)
    start = np.sort(day * 86_400 + rng.uniform(0, 86_000, flows))
    attacked = rng.random(flows) < ATTACKED
    kind = np.where(attacked, rng.choice(KINDS, flows), "normal")
    episode = np.where(attacked, [f"e{number:03d}" for number in range(flows)], "")
    client, port = rng.integers(2, 40, flows), rng.integers(32_768, 60_999, flows)
    way, flags = np.tile(np.array(PACKETS).T, flows)
    of = np.repeat(np.arange(flows), len(PACKETS))
    count = len(of)
    local, service = [f"198.18.1.{number}" for number in client[of]], ["198.18.0.1"] * count
    frame = pd.DataFrame({
        "frame": range(1, count + 1),
        "time": pd.to_datetime(((start[of] + np.tile(np.arange(6) * 0.02, flows)) * 1e9).astype("int64") + 1_772_409_600 * 10**9, utc=True),
        "ip_src": np.where(way == 0, local, service), "ip_dst": np.where(way == 0, service, local),
        "tcp_srcport": np.where(way == 0, port[of], 1883), "tcp_dstport": np.where(way == 0, 1883, port[of]),
        "ip_proto": 6, "tcp_flags": flags, "tcp_seq": rng.integers(0, 2**32, count), "tcp_ack": rng.integers(0, 2**32, count),
        "tcp_len": np.where(flags == 0x18, rng.integers(8, 40, count), 0), "frame_len": rng.integers(60, 120, count),
        "ip_ttl": 64, "ip_id": rng.integers(0, 65_536, count), "tcp_window": rng.integers(200, 260, count), "flow": of,
        "tcp_gap": 0, "kind": kind[of], "episode": episode[of], "label": attacked[of].astype(int),
    })  # fmt: skip
    for number in range(FEATURES):
        frame[f"f{number}"] = rng.normal(0, 1, count) + 1.3 * frame["label"] * (1 if number % 2 else -1)
    return frame


def subject(frame: Frame) -> Subject:
    """Return a table as the audit sees it."""
    return tables.of_frame(frame, "made.csv")


def _features(frame: Frame, rows: pd.Series, values: object) -> Frame:
    changed = frame.astype(dict.fromkeys(NUMBERS, "float64"))
    changed.loc[rows, NUMBERS] = values  # type: ignore[call-overload]  # a mask and names
    return changed


def _of_benign(frame: Frame, noise: float) -> Frame:
    attack = frame["label"] == 1
    benign = frame.loc[~attack, NUMBERS].iloc[: int(attack.sum())].to_numpy()
    return _features(frame, attack, benign * (1 + noise * np.random.default_rng(1).normal(size=benign.shape)))


def _mingled(frame: Frame) -> Frame:
    """Return the table with attack rows whose every feature is some benign row's."""
    rng, attack = np.random.default_rng(2), frame["label"] == 1
    benign = frame.loc[~attack, NUMBERS].to_numpy(copy=True)
    return _features(frame, attack, rng.permuted(benign, axis=0)[: int(attack.sum())])


def _moved(frame: Frame, second_of_day: Callable[[Frame], pd.Series]) -> Frame:
    """Return the table with its attacks at other times of their days, in order of time again."""
    attack, changed = frame["label"] == 1, frame.copy()
    at = pd.to_timedelta(second_of_day(frame[attack]), unit="s")
    changed.loc[attack, "time"] = (frame.loc[attack, "time"].dt.floor("D") + at).astype(frame["time"].dtype)
    return changed.sort_values("time", kind="stable", ignore_index=True).assign(
        frame=range(1, len(frame) + 1)
    )


def _repeated(frame: Frame) -> Frame:
    again = frame[frame["label"] == 0].iloc[:200].assign(frame=lambda rows: rows["frame"] + 100_000)
    again["time"] += pd.Timedelta(milliseconds=3)
    return pd.concat([frame, again]).sort_values("time", kind="stable", ignore_index=True)


def _rare(frame: Frame) -> Frame:
    first = frame.loc[frame["label"] == 1, "flow"].iloc[0]
    return _kept(frame, (frame["label"] == 0) | ((frame["flow"] == first) & (frame["tcp_flags"] == 2)))


def _kept(frame: Frame, kept: pd.Series) -> Frame:
    chosen: Frame = frame.loc[kept]
    return chosen.reset_index(drop=True)


PLANTED: dict[str, Plant] = {
    "A1": lambda frame: frame.iloc[::-1].reset_index(drop=True),
    "A2": _repeated,
    "A3": lambda frame: frame.assign(frame=frame["frame"] // 2),
    "A4": lambda frame: frame.assign(tcp_gap=(frame["frame"] % 200 == 0).astype(int)),
    "A5": lambda frame: _kept(frame, frame["ip_src"] != "198.18.0.1"),
    "B1": _mingled,
    "B2": lambda frame: frame.assign(tcp_dstport=frame["tcp_dstport"].where(frame["label"] == 0, 53)),
    "B3": lambda frame: _of_benign(frame, 0.0),
    "B4": lambda frame: _of_benign(frame, 1e-4),
    "B5": lambda frame: frame.assign(tcp_len=frame["tcp_len"].where(frame["label"] == 0, 0)),
    "B7": lambda frame: frame.assign(episode=""),
    "B8": lambda frame: frame.assign(label=frame["label"].where(frame["tcp_dstport"] == 1883, 0)),
    "C1": lambda frame: frame.assign(f3=frame["label"] + 0.001 * frame["f3"]),
    "C2": lambda frame: frame.assign(f3=frame["label"] + 0.001 * frame["f3"]),
    "C3": lambda frame: frame.assign(ip_src=frame["ip_src"].where(frame["label"] == 0, "198.18.0.66")),
    "C4": lambda frame: frame.assign(tcp_dstport=frame["tcp_dstport"].where(frame["label"] == 0, 9999)),
    "C5": lambda frame: _moved(frame, lambda attacks: attacks["flow"] % 30 * 60),
    "C6": lambda frame: frame.sort_values("label", kind="stable", ignore_index=True),
    "C7": lambda frame: frame.assign(ip_ttl=frame["ip_ttl"].where(frame["label"] == 0, 128)),
    "C8": lambda frame: frame.assign(**{f"f{number}": frame["f0"] * (number + 1) for number in range(1, FEATURES)}),
    "D1": lambda frame: _features(frame, frame["label"] == 1, 3.0),
    "D2": lambda frame: _moved(frame, lambda attacks: attacks["flow"] % 6 * 14_000),
    "D3": lambda frame: _features(frame, frame["label"] == 1, 3.0),
    "D4": lambda frame: frame.assign(tcp_dstport=9999, tcp_srcport=9999).where(frame["label"] == 1, frame),
    "D5": lambda frame: _moved(frame, lambda attacks: attacks["flow"] % 6 * 100).assign(episode="e001"),
    "D7": _rare,
    "E1": lambda frame: _features(frame, frame["time"].dt.day >= 8, frame.iloc[: int((frame["time"].dt.day >= 8).sum())][NUMBERS].to_numpy()),
    "E2": lambda frame: frame.assign(episode=frame["episode"].where(frame["label"] == 0, "e001")),
    "E3": lambda frame: frame.assign(f2=frame["f2"] + 2.0 * (frame["time"].dt.day >= 7)),
}  # fmt: skip
"""A flaw for each check that a table alone can fail."""


def odd_tables() -> Iterator[tuple[str, Frame]]:
    """Yield tables that hold less than a check may hope for."""
    whole = table()
    yield "empty", whole.iloc[:0]
    yield "one row", whole.iloc[:1]
    yield "only normal", whole[whole["label"] == 0].reset_index(drop=True)
    yield "only attacks", whole[whole["label"] == 1].reset_index(drop=True)
    yield "only labels", whole[["label"]]
    names = set(map(str, whole)) - {"label", "time", "episode", "kind"}
    yield "constant", whole.assign(**dict.fromkeys(sorted(names), 1))
    yield "missing", whole.assign(**dict.fromkeys(NUMBERS, np.nan))
    yield "one day", whole[whole["time"].dt.day == whole["time"].dt.day.iloc[0]].reset_index(drop=True)
