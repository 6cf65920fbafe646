"""Alarms as an operator meets them: grouped into incidents, each with its frames and a display filter."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import numpy as np

from coldaisle_analysis.earliness.incidents import QUIET_S, REPEAT_S, incidents
from coldaisle_contracts.clock import SECOND
from coldaisle_desk.alarms import LIVE, Alarm, judged
from coldaisle_desk.view import View, spell

MOST = 100
"""Most incidents that are listed, the newest; more are counted."""
_FRAMES = 24
"""Most parts of a list of frames in a display filter; a longer list is given as a range with the stream's address."""


def context(view: View) -> dict[str, Any]:
    """Return the values of the panel."""
    alarms = view.alarms()
    groups = _groups(alarms)
    run = view.run
    return {
        "source": view.source,
        "sources": [LIVE, *(judged(run.analysis) if run.analysis else ())],
        "watching": run.books.watching,
        "alarms": len(alarms),
        "dropped": run.books.dropped,
        "incidents": [_incident(view, group) for group in groups[:MOST]],
        "left_out": max(0, len(groups) - MOST),
        "groups": len(groups),
        "quiet": QUIET_S // 60,
        "repeat": REPEAT_S // 60,
        "exact": view.exact,
    }


def _groups(alarms: list[Alarm]) -> list[list[Alarm]]:
    """Return the alarms by incident, the newest incident first."""
    if not alarms:
        return []
    begin = incidents(
        np.array([alarm.at_ns / SECOND for alarm in alarms]), np.array([alarm.stream for alarm in alarms])
    )
    latest: dict[str, list[Alarm]] = {}
    groups: list[list[Alarm]] = []
    for alarm, begins in zip(alarms, begin.tolist(), strict=True):
        if begins or alarm.stream not in latest:
            latest[alarm.stream] = []
            groups.append(latest[alarm.stream])
        latest[alarm.stream].append(alarm)
    return groups[::-1]


def _incident(view: View, group: list[Alarm]) -> dict[str, Any]:
    first, last = group[0], group[-1]
    episodes = sorted({alarm.episode for alarm in group if alarm.episode})
    return {
        "begin": view.local(first.at_ns),
        "lasts": spell(last.at_ns - first.at_ns) if last.at_ns > first.at_ns else "",
        "stream": first.stream,
        "count": len(group),
        "score": max(alarm.score for alarm in group),
        "episodes": episodes,
        "evidence": [_evidence(view, shard, frames) for shard, frames in _by_file(view, group).items()],
    }


def _by_file(view: View, group: Iterable[Alarm]) -> dict[str, list[Alarm]]:
    """Return alarms by capture file, with the number of each frame in that file."""
    counts = defaultdict[str, list[tuple[str, int]]](list)
    for file, (shard, packets, _) in sorted(view.run.record.captured.items()):
        counts[shard].append((file, packets))
    files = defaultdict[str, list[Alarm]](list)
    for alarm in group:
        frame = alarm.frame if view.source == LIVE else _in_shard(view, alarm)
        for file, packets in counts[alarm.shard] or [(f"capture/{alarm.shard}-000.pcap", frame)]:
            if frame <= packets:
                files[file].append(alarm._replace(frame=frame))
                break
            frame -= packets
    return files


def _in_shard(view: View, alarm: Alarm) -> int:
    """Return the number in its shard of a frame that is counted through the run."""
    labels = view.run.labels
    return alarm.frame - (labels.first.get(alarm.shard, 0) if labels else 0)


def _evidence(view: View, file: str, alarms: list[Alarm]) -> dict[str, Any]:
    frames = sorted({alarm.frame for alarm in alarms})
    there = view.run.folder is not None and (view.run.folder / file).is_file()
    return {
        "file": file,
        "there": there,
        "frames": len(frames),
        "first": frames[0],
        "filter": display_filter(frames, alarms[0].hosts),
    }


def display_filter(frames: list[int], hosts: tuple[str, str]) -> str:
    """Return the display filter that finds frames in their capture: by number, for many by range and address."""
    parts: list[list[int]] = []
    for frame in frames:
        if parts and frame == parts[-1][1] + 1:
            parts[-1][1] = frame
        else:
            parts.append([frame, frame])
    if len(parts) <= _FRAMES:
        listed = ", ".join(str(low) if low == high else f"{low}..{high}" for low, high in parts)
        return f"frame.number in {{{listed}}}"
    host = f" && ip.addr == {hosts[0]}" if hosts[0] else ""
    return f"frame.number >= {frames[0]} && frame.number <= {frames[-1]}{host}"
