"""Check group A: the capture is complete, ordered, and only contains the declared hosts. Nine checks and their table."""

import numpy as np
import pandas as pd

from coldaisle_analysis.audit.check import Check, Evidence, Measured
from coldaisle_analysis.audit.numbers import MISSING, fingerprints
from coldaisle_analysis.audit.subject import Absent, Subject
from coldaisle_analysis.decoding.captures import Frames

LANVIN = "Lanvin et al., Errors in the CICIDS2017 dataset, 2022; threshold ours"
OWN = "coldaisle"
AGAIN_NS = 10**9
"""An equal frame within this time is a repeated frame, in ns."""
BOTH = 2
"""Directions of a conversation."""
LATE = 1.5
"""A sensor is late after this many of its usual intervals."""
_SYN, _SYN_ACK = 0x02, 0x12
_IPV4, _TCP, _HEADER = 0x0800, 6, 34
_FIELDS = ("src", "dst", "proto", "sport", "dport", "seq", "ack", "flags", "length", "ipid")
"""Meanings of the header fields in which a repeated frame equals the first."""


def order(subject: Subject) -> Measured:
    """Count rows that are earlier than the previous row."""
    time = subject.of("time").astype("int64")
    if subject.level == "readings":  # our readings are sorted by sensor, then time
        time = time.groupby(subject.of("client").astype("str")).diff().fillna(0).cumsum()
    step = np.diff(time.to_numpy())
    back = np.flatnonzero(step < 0)
    evidence = [{"row": int(at) + 2, "earlier by, s": -float(step[at]) / 1e9} for at in back]
    return Measured(
        len(back), f"{len(back)} of {len(subject):,} rows are earlier than the previous row.", evidence
    )


def duplicates(subject: Subject) -> Measured:
    """Count benign rows that equal a row less than one second earlier in every header field."""
    time = subject.of("time").astype("int64")
    if subject.has("ipid", "seq"):
        names = [subject.meaning[meaning] for meaning in _FIELDS if subject.has(meaning)]
    else:
        unique = {*subject.clocks, subject.meaning.get("id")}
        names = [str(name) for name in subject.frame if name not in unique]
    prints = pd.Series(fingerprints((subject.numbers(name) for name in names), len(subject)))
    since = time - time.groupby(prints).shift()
    repeated = (since.abs() < AGAIN_NS).to_numpy() & ~subject.touched & ~subject.label
    if subject.has("ipid"):
        repeated &= subject.numbers(subject.meaning["ipid"]) != MISSING
    rows = np.flatnonzero(repeated)
    evidence = [{"row": int(at) + 1, "after, s": float(since.iloc[at]) / 1e9} for at in rows]
    return Measured(
        len(rows),
        f"{len(rows)} rows repeat a row less than one second earlier, and no attack explains it.",
        evidence,
    )


def rows_and_frames(subject: Subject) -> Measured:
    """Count ids that are missing or duplicated, and frames without a row."""
    ids = subject.of("id")
    twice, absent = int(ids.duplicated().sum()), int(ids.isna().sum())
    lost = 0
    if subject.account is not None and subject.level == "packets":
        lost = abs(int(subject.account.evidence.sealed["packets"].sum()) - len(subject))
    evidence = [{"ids twice": twice, "ids missing": absent, "frames without a row": lost}]
    return Measured(
        twice + absent + lost,
        f"{twice} ids are duplicated, {absent} are missing, and {lost} frames have no row.",
        evidence,
    )


def losses(subject: Subject) -> Measured:
    """Count frames that the kernel dropped, holes in TCP streams, and segments that start past the next byte expected."""
    account = subject.account
    if account is not None and subject.level == "packets":
        drops, holes = int(account.evidence.sealed["kernel_drops"].sum()), account.evidence.trace.gaps
        evidence = [{"kernel drops": drops, "holes": holes}]
        return Measured(
            drops + holes,
            f"The kernel dropped {drops} frames, and {holes} holes in TCP streams were given up.",
            evidence,
        )
    if "tcp_gap" not in subject.frame:
        raise Absent("the rows have neither drops nor sequence numbers")
    jumps = int((subject.numbers("tcp_gap") == 1).sum())
    return Measured(jumps, f"{jumps} segments start past the next byte expected.", [{"segments": jumps}])


def conversations(subject: Subject) -> Measured:
    """Return the share of TCP flows without an attack that lack a direction or their handshake."""
    if not subject.has("flow", "src", "flags"):
        raise Absent("the rows have no TCP flags with a flow")
    flow, flags = subject.numbers(subject.meaning["flow"]), subject.numbers(subject.meaning["flags"])
    tcp = (flow >= 0) & (flags >= 0)
    bits = flags[tcp].astype(np.int64) & _SYN_ACK
    segments = pd.DataFrame(
        {"src": subject.numbers(subject.meaning["src"])[tcp], "syn": bits == _SYN, "answer": bits == _SYN_ACK}
    )
    segments["touched"] = (subject.label | subject.touched)[tcp]
    flows = segments.groupby(flow[tcp]).agg(
        ways=("src", "nunique"), syn=("syn", "any"), answer=("answer", "any"), touched=("touched", "any")
    )
    clean = flows[~flows["touched"]]
    if clean.empty:
        raise Absent("no TCP flow is free of attacks")
    one_way, unopened = clean["ways"] < BOTH, ~(clean["syn"] & clean["answer"])
    share = float((one_way | unopened).mean())
    counts = {"one way only": int(one_way.sum()), "without handshake": int(unopened.sum())}
    return Measured(
        share,
        f"{share:.1%} of {len(clean):,} clean TCP flows lack a direction or their handshake.",
        [{"flows": len(clean), **counts}],
    )


def checksums(subject: Subject) -> Measured:
    """Return the share of whole, clean IPv4 frames whose header or TCP checksum is wrong."""
    account = subject.account
    if account is None or subject.level != "packets":
        raise Absent("the bytes of the frames are not available")
    frames = account.evidence.trace.frames
    rows = subject.draw(~(subject.label | subject.touched), salt=3)
    wrong = [row for row in rows if not _sound(frames, int(row))]
    share = len(wrong) / max(1, len(rows))
    evidence = [{"frame": int(row) + 1} for row in wrong] or [{"frames looked at": len(rows)}]
    return Measured(
        share, f"{len(wrong)} of {len(rows):,} clean frames drawn have a wrong checksum.", evidence
    )


def _sound(frames: Frames, row: int) -> bool:
    """Tell whether the checksums of a frame add up (RFC 1071): IPv4's, and TCP's where it is whole."""
    frame = frames.frame(row)
    if len(frame) < _HEADER or int.from_bytes(frame[12:14], "big") != _IPV4:
        return True
    length = (frame[14] & 15) * 4
    if _sum(frame[14 : 14 + length]) != 0xFFFF:  # noqa: PLR2004 - all ones
        return False
    end = 14 + int.from_bytes(frame[16:18], "big")
    fragment = int.from_bytes(frame[20:22], "big") & 0x3FFF
    if frame[23] != _TCP or fragment or end > len(frame):
        return True
    segment = frame[14 + length : end]
    return _sum(frame[26:34] + bytes((0, _TCP)) + len(segment).to_bytes(2, "big") + segment) == 0xFFFF  # noqa: PLR2004 - all ones


def _sum(data: bytes) -> int:
    """Return the ones' complement sum of 16-bit words."""
    total = int(np.frombuffer(data + bytes(len(data) % 2), ">u2").sum(dtype=np.int64))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def missing_readings(subject: Subject) -> Measured:
    """Return the share of readings that are missing although no label explains it."""
    if not subject.has("time", "client") or subject.level == "packets":
        raise Absent("the rows are not one row per reading")
    if subject.account is not None:
        lost = int((subject.account.readings["fate"].astype("str") == "").sum())
        return Measured(
            lost / max(1, len(subject)), f"{lost} planned readings have no fate.", [{"readings": lost}]
        )
    rows = pd.DataFrame(
        {"client": subject.of("client").astype("str"), "time": subject.of("time").astype("int64")}
    )
    gap = rows.sort_values("time", kind="stable").groupby("client")["time"].diff()
    usual = gap.groupby(rows["client"]).transform("median")
    missed = (gap / usual).round().sub(1).where(gap > LATE * usual, 0).fillna(0).clip(upper=48)
    share = float(missed.sum()) / max(1, len(rows))
    evidence = [
        {"sensor": client, "missed": int(count)}
        for client, count in missed.groupby(rows["client"]).sum().sort_values(ascending=False).items()
        if count
    ]
    return Measured(share, f"{int(missed.sum())} readings are missing, and no label explains it.", evidence)


def clock(subject: Subject) -> Measured:
    """Return 1 if no offset from UTC is declared or an episode lies outside the capture, else 0."""
    time = subject.of("time").astype("int64").to_numpy()
    if subject.account is None:
        return Measured(1.0, "The offset of local time from UTC is not declared.", [])
    plan = subject.account.evidence.plan
    first, last = (int(time.min()), int(time.max())) if len(time) else (0, 0)
    outside = [episode.id for episode in plan.episodes if episode.end_ns < first or episode.begin_ns > last]
    offset = plan.utc_offset_s / 3600
    evidence: Evidence = [{"offset from UTC, h": offset}, *({"episode outside": name} for name in outside)]
    return Measured(
        float(bool(outside)),
        f"Local time is declared as UTC{offset:+g} h; {len(outside)} episodes lie outside the capture.",
        evidence,
    )


def unknown_addresses(subject: Subject) -> Measured:
    """Count addresses that belong to no host of the plan."""
    if subject.account is None or not subject.has("src", "mac"):
        raise Absent("there is no plan that lists the hosts")
    plan = subject.account.evidence.plan
    planned = plan.sources | {host.mac for host in plan.hosts}
    addresses = {str(value) for meaning in ("src", "mac") for value in subject.of(meaning).dropna().unique()}
    strange = sorted(addresses - planned)
    return Measured(
        len(strange),
        f"{len(strange)} addresses belong to no host of the plan.",
        [{"address": name} for name in strange],
    )


CHECKS = (
    Check("A1", "order of time", "rows earlier than the previous row", 1, 100, LANVIN, order),
    Check("A2", "duplicate frames", "rows that repeat one less than 1 s earlier", 1, 50, LANVIN, duplicates),
    Check("A3", "one row per frame", "duplicated or missing ids, frames without a row", 1, 1, OWN, rows_and_frames),
    Check("A4", "losses", "frames dropped, holes in TCP streams", 1, 10, OWN, losses),
    Check("A5", "complete conversations", "share of clean TCP flows that lack a direction or their handshake", 0.01, 0.1, "Liu et al. 2022; threshold ours", conversations),
    Check("A6", "checksums", "share of the clean frames drawn that have a wrong one", 1e-9, 0.01, "ID2T; threshold ours", checksums),
    Check("A7", "unexplained missing readings", "share of readings that are missing", 1e-4, 0.05, OWN, missing_readings),
    Check("A8", "declared clock", "1 if no offset is declared or an episode lies outside", 1, 2, "Lanvin et al. 2022", clock),
    Check("A9", "unknown addresses", "addresses of no host of the plan", 1, 1, OWN, unknown_addresses),
)  # fmt: skip
