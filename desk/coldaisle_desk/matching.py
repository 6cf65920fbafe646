"""Which episode an alarm belongs to: by its frame where the run is labelled, else by host and time."""

from bisect import bisect_right
from collections import defaultdict
from pathlib import Path

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from coldaisle_contracts.addressing import INJECTOR
from coldaisle_contracts.clock import SECOND
from coldaisle_desk.alarms import LIVE, Alarm, alerts_of, judged
from coldaisle_desk.watched import EVER, Watched


class Matched:
    """The alarms of one source on a run, each with its episode.

    Args:
        run: the run.
        source: ``live``, or the name of a judged detector.
    """

    def __init__(self, run: Watched, source: str) -> None:
        self._run, self._source = run, source
        self._alarms: list[Alarm] = []
        self._taken, self._key = 0, (0, False)

    @property
    def exact(self) -> bool:
        """Whether each alarm was matched by its frame."""
        return self._run.labels is not None

    def alarms(self) -> list[Alarm]:
        """Return the alarms in order of time, each with its episode, which is empty for a false alarm."""
        if self._source != LIVE:
            if not self._alarms and self._run.analysis and self._run.folder:
                path = judged(self._run.analysis).get(self._source)
                self._alarms = _of_alerts(self._run.folder, path) if path else []
            return self._alarms
        key = sum(map(len, self._run.record.phases.values())), self.exact
        if key != self._key:
            self._alarms, self._taken, self._key = [], 0, key
        fresh = self._run.books.alarms[self._taken :]
        if fresh:
            self._taken += len(fresh)
            self._alarms += self._by_frame(fresh) if self.exact else self._by_time(fresh)
            self._alarms.sort(key=lambda alarm: alarm.at_ns)
        return self._alarms

    def _by_frame(self, fresh: list[Alarm]) -> list[Alarm]:
        labels = self._run.labels
        assert labels is not None  # noqa: S101 - see exact
        return [alarm._replace(episode=labels.episode(alarm.shard, alarm.frame)) for alarm in fresh]

    def _by_time(self, fresh: list[Alarm]) -> list[Alarm]:
        spans = _spans(self._run)
        return [alarm._replace(episode=_spanning(spans, alarm)) for alarm in fresh]


def _spans(run: Watched) -> dict[str, list[tuple[int, int, str]]]:
    """Return begin, end and id of the episodes that concern a host, by its address, in order of time."""
    spans = defaultdict[str, list[tuple[int, int, str]]](list)
    if run.plan is None:
        return spans
    for episode in run.plan.episodes:
        phases = run.record.phases.get(episode.id)
        if not phases:
            continue
        grace_ns = round(run.plan.scenario.interval_of(episode.unit) * SECOND)
        begin = min(phases.values())
        end = phases.get("off_path", phases.get("end", EVER // 2)) + grace_ns
        hosts = {INJECTOR.ip} if episode.row.actor == "injector" else set[str]()
        unit = run.plan.units.get(episode.unit)
        for host in hosts | ({unit.host.ip} if unit else set()):
            spans[host].append((begin, end, episode.id))
    return {host: sorted(rows) for host, rows in spans.items()}


def _spanning(spans: dict[str, list[tuple[int, int, str]]], alarm: Alarm) -> str:
    """Return the episode that is under way at one of an alarm's hosts; the latest that began, empty for none."""
    for host in alarm.hosts:
        rows = spans.get(host, [])
        place = bisect_right(rows, (alarm.at_ns, EVER, ""))
        for begin, end, episode in reversed(rows[max(0, place - 3) : place]):
            if begin <= alarm.at_ns <= end:
                return episode
    return ""


def _of_alerts(run: Path, path: Path) -> list[Alarm]:
    """Return the alerts of a judged detector as alarms; those without a frame are left out, for they have no time."""
    rows = [row for row in alerts_of(path) if (row.get("frame") or "").isdecimal()]
    columns = ["shard", "time_ns", "client", "ip_src", "ip_dst"]
    try:
        table = pq.read_table(run / "dataset" / "packets.parquet", columns=columns)
        places = np.array([int(row["frame"]) - 1 for row in rows], np.int64)
        frames = table.take(pa.array(places)).to_pylist()
    except (OSError, KeyError, IndexError, pa.ArrowException):
        return []
    alarms = []
    for row, frame in zip(rows, frames, strict=True):
        hosts = str(frame["ip_src"] or ""), str(frame["ip_dst"] or "")
        stream = str(frame["client"] or " → ".join(filter(None, hosts)) or "?")
        number, episode = int(row["frame"]), row.get("episode") or ""
        alarms.append(
            Alarm(
                frame["time_ns"],
                str(frame["shard"]),
                number,
                stream,
                hosts,
                _number(row.get("score")),
                episode,
            )
        )
    return sorted(alarms, key=lambda alarm: alarm.at_ns)


def _number(text: str | None) -> float:
    try:
        return float(text or 1)
    except ValueError:
        return 1.0
