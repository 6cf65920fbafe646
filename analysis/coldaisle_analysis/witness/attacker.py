"""The attacker's frames: each has its line in the journal, in the same order, and agrees with that line."""

from collections import Counter, defaultdict, deque
from collections.abc import Iterator
from itertools import chain
from operator import itemgetter

from coldaisle_analysis.witness.frames import Frame
from coldaisle_analysis.witness.journals import WAITED, Journals, Line
from coldaisle_analysis.witness.verdict import Doubt
from coldaisle_contracts.addressing import BROKER
from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.plan import Episode

CRAFTED = ("syn", "ask")
"""Acts that create a new frame with the attacker's own address."""
_NAMED = ("alter", "copy", "release", "double")
"""Acts whose frames are named by digest in an ``act`` line."""
_SILENT = ("acknowledge", "reset")
"""Acts whose frames towards the broker carry no payload."""
_OTHERS_DO = ("relay", "reply", "speak", "answer")
"""Acts that another host begins: it may send to the attacker for a while after the attacker has left the path."""
_SLACK_NS = SECOND
"""Largest time by which a frame may seem to miss its episode on a busy machine, in ns."""
_PATIENCE_NS = 60 * SECOND
"""A line may be written later than its frame by one interval plus this, in ns: time may jump before a busy attacker writes it."""
_AT_ONCE_NS = 15_000_000
"""No frame passes this close to the begin and end of an act phase, in ns: an attacker wakes 20 ms before a reading."""


class Attacker:
    """The lines of the attacker in a shard; each is consumed by the frame it belongs to.

    Args:
        journals: the plan and the journals.
        shard: name of the shard.
    """

    def __init__(self, journals: Journals, shard: str) -> None:
        self._plan, self._episodes, self._phases = journals.plan, journals.episodes, journals.phases(shard)
        self._lines: dict[str, deque[Line]] = defaultdict(deque)
        self._latest: dict[tuple[object, ...], tuple[int, Frame]] = {}
        self._lag_ns = round(journals.plan.scenario.interval_s * SECOND) + _PATIENCE_NS
        self._approaches: dict[str, list[int]] = defaultdict(list)
        for (episode, phase), at_ns in self._phases.items():
            if phase == "approach" and episode in self._episodes:
                self._approaches[self._episodes[episode].unit].append(at_ns)
        self._crafted = Counter[str]()
        lines = journals.attacker[shard]
        frame_lines = [line for line in lines if line["event"] == "frame"]
        self._digests = {line["digest"] for line in frame_lines}
        self._named_acts = {act["digest"]: act for act in lines if act["event"] == "act" and act["digest"]}
        for line in sorted(frame_lines, key=itemgetter("at_ns")):
            if line["side"] == "broker":
                self._lines[line["digest"]].append(line)
        self._acts = {
            episode.id: round(sum(act.amount for act in episode.acts))
            for episode in journals.plan.episodes
            if episode.kind in ("syn-flood", "port-scan", "arp-sweep")
            and (episode.id, "begin") in self._phases
        }

    def line(self, frame: Frame) -> Line | None:
        """Return the line of a frame; each line belongs to one frame."""
        lines = self._lines.get(frame.digest)
        return lines.popleft() if lines else None

    def episode(self, line: Line) -> Episode | None:
        """Return the episode a line names."""
        return self._episodes.get(line["episode"])

    def is_part(self, line: Line, frame: Frame) -> bool | None:
        """Tell whether a frame is part of the anomaly; return ``None`` where both are possible.

        A frame that only passes is part of it if the kind does nothing but be on the path, and only during the act phase.
        """
        if line["act"] != "relay":
            return True
        episode = self._episodes[line["episode"]]
        if episode.row.pace != "none":
            return False
        begin, end = (self._phases.get((episode.id, phase), 0) for phase in ("begin", "end"))
        if min(abs(frame.at_ns - begin), abs(frame.at_ns - end)) < _AT_ONCE_NS:
            return None
        return begin < frame.at_ns < end

    def examine(self, line: Line, frame: Frame) -> Iterator[str]:
        """Yield the contradictions between a line and its frame."""
        act, episode = line["act"], self._episodes.get(line["episode"])
        if episode is None or episode.row.actor != "injector":
            yield f"is attributed to episode {line['episode']!r}, which is none of the attacker's"
            return
        if act in CRAFTED:
            self._crafted[episode.id] += 1
        yield from self._in_order(line, frame)
        if not self._in_time(episode, act, frame.at_ns):
            yield f"is attributed to {episode.kind} {episode.id}, which was not active then"
        victim = self._plan.host_of(episode.unit).ip
        hosts = {frame.source, frame.target}
        astray = not hosts <= {BROKER.ip, victim} or victim not in hosts
        if episode.row.on_path and astray:
            yield f"is attributed to {episode.id} and is not between {episode.unit} and the broker"
        named = self._named_acts.get(line["digest"])
        if act in _NAMED and (named is None or named["port"] != frame.sport):
            yield f"was made or changed ({act}) and no act on its connection names it"
        if act in _SILENT and frame.target == BROKER.ip and frame.payload:
            yield f"has a payload, although its line says {act}"

    def _in_order(self, line: Line, frame: Frame) -> Iterator[str]:
        """Yield a contradiction if a line was not written when its frame passed, or not in the order of the frames.

        Two processors may forward two frames in another order, but not if they are a second apart.
        """
        if frame.kind == "arp" and line["act"] in WAITED:
            return
        if abs(line["at_ns"] - frame.at_ns) > self._lag_ns:
            late_s = (line["at_ns"] - frame.at_ns) / SECOND
            yield f"has a line of the journal, {line['line']}, that was written {late_s:.1f} s later"
        way = frame.kind, frame.source, frame.target, frame.sport, frame.dport, line["act"] == "relay"
        number, before = self._latest.get(way, (0, frame))
        if line["line"] > number:
            self._latest[way] = line["line"], frame
        elif frame.at_ns - before.at_ns > _SLACK_NS:
            yield f"comes after {before.name}, and its line {line['line']} of the journal is before line {number}"

    def _in_time(self, episode: Episode, act: str, at_ns: int) -> bool:
        """Tell whether an episode may have a frame at this instant.

        Frames that another host sends to the attacker have no time limit, until the next episode on the path of the same unit.
        """
        on_path = episode.row.on_path
        if act in _OTHERS_DO and not on_path:
            return True
        begin = self._phases.get((episode.id, "approach" if on_path else "begin"))
        if begin is None or at_ns < begin - _SLACK_NS:
            return False
        if act in _OTHERS_DO:
            return not any(begin < later < at_ns - _SLACK_NS for later in self._approaches[episode.unit])
        end = self._phases.get((episode.id, "off_path" if on_path else "end"))
        return end is None or at_ns <= end + _SLACK_NS

    def close(self) -> Iterator[Doubt]:
        """Yield the lines of the journal that the capture does not confirm."""
        for line in sorted(chain(*self._lines.values()), key=itemgetter("line")):
            missing = f"names a frame ({line['act']} of {line['episode']}) that is not in the capture"
            yield Doubt(f"journal/injector.jsonl: line {line['line']}", missing)
        for digest, act in self._named_acts.items():
            if digest not in self._digests:
                where = f"journal/injector.jsonl: line {act['line']}"
                yield Doubt(where, f"({act['operation']} of {act['episode']}) names a frame that has no line")
        for episode, amount in self._acts.items():
            if self._crafted[episode] != amount:
                reason = f"made {self._crafted[episode]} frames, but the plan has {amount}"
                yield Doubt(f"episode {episode}", reason)
