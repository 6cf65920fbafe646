"""What a real run shows of a kind: it did what was planned and no more, kept to its budget, and restored what it changed."""

from collections import Counter
from collections.abc import Callable, Iterator

from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.journal import frame_digest
from coldaisle_contracts.plan import Act
from coldaisle_contracts.taxonomy import Kind
from coldaisle_testbed.obedience.observed import Played, numbers
from coldaisle_testbed.obedience.planned import episodes_of

Check = Callable[[Kind, Played], Iterator[str]]
_LATE_NS = 2 * SECOND
"""Time after the end of an episode in which its last frames may come, in ns."""


def it_did_what_was_planned(kind: Kind, played: Played) -> Iterator[str]:
    """Yield the acts that were not planned, and the planned ones that were not played; an unchanged value needs no line."""
    for episode in episodes_of(kind, played.plan):
        expected = Counter(
            (act.slot, act.sensor, name) for act in episode.acts for name in _journalled(kind, act)
        )
        done = Counter(
            (line["slot"], line["sensor"], line["operation"]) for line in played.lines(episode, "act")
        )
        for slot, sensor, name in done - expected:
            yield f"{episode.id}: {name} of sensor {sensor} in slot {slot} was played and not planned"
        for slot, sensor, name in expected - done:
            if name != "modify":
                yield f"{episode.id}: {name} of sensor {sensor} in slot {slot} was planned and not played"


def _journalled(kind: Kind, act: Act) -> list[str]:
    """Return the operations that the journal should hold for a planned act."""
    match act.operation:
        case "copy":
            return ["copy"] * len(act.times_ns)
        case "hold":
            return ["hold", "release"]
        case operation:
            return ["modify" if kind.edit == "modify" else operation]


def its_acts_are_bracketed_by_begin_and_end(kind: Kind, played: Played) -> Iterator[str]:
    """Yield the acts that do not lie between begin and end of their episode, or are on another target."""
    for episode in episodes_of(kind, played.plan):
        phases = {line["phase"]: line["at_ns"] for line in played.lines(episode, "episode")}
        if missing := sorted({"begin", "end"} - set(phases)):
            yield f"{episode.id}: the journal has no {missing[0]} of it"
            continue
        for line in played.lines(episode, "act"):
            if not phases["begin"] <= line["at_ns"] <= phases["end"] or line["unit"] != episode.unit:
                yield f"{episode.id}: {line['operation']} in slot {line['slot']} lies outside of the episode"


def it_keeps_to_its_time_and_its_budget(kind: Kind, played: Played) -> Iterator[str]:
    """Yield the frames outside of approach and end, and budgets that were exceeded; only frames for poisoned caches may come later."""
    for episode in episodes_of(kind, played.plan):
        frames = [line for line in played.lines(episode, "frame") if line["anomalous"]]
        made = sum(line["role"] in ("injected", "duplicate", "delayed") for line in frames)
        if made > episode.packets:
            yield f"{episode.id}: it made {made} frames, and its budget is {episode.packets}"
        for line in frames:
            timely = episode.approach_ns <= line["at_ns"] <= episode.end_ns + _LATE_NS
            if not timely and line["act"] not in ("poison", "restore", "reply"):
                yield f"{episode.id}: it made a frame ({line['act']}) at {line['at_ns']} ns, outside of its time"


def its_roles_are_those_of_its_row(kind: Kind, played: Played) -> Iterator[str]:
    """Yield the roles of frames on the broker's side that the row does not name."""
    for episode in episodes_of(kind, played.plan):
        frames = [line for line in played.lines(episode, "frame") if line["side"] == "broker"]
        roles = {line["role"] for line in frames} - set(kind.roles) - {"kernel"}
        yield from (
            f"{episode.id}: it made frames of the role {role}, which its row does not name"
            for role in sorted(roles)
        )


def it_leaves_a_trace_its_display_filter_finds(kind: Kind, played: Played) -> Iterator[str]:
    """Yield the episodes of which the documented display filter finds no frame."""
    for episode in episodes_of(kind, played.plan):
        shard = played.shard_of(episode)
        found = numbers(played.captures[shard], kind.filter)
        digests = {line["digest"] for line in played.lines(episode, "frame") if line["side"] == "broker"}
        ours = (frame_digest(played.frames[shard][number - 1]) in digests for number in found)
        if not found or (kind.actor == "injector" and not any(ours)):
            yield f"{episode.id}, variant {episode.variant}: the filter {kind.filter} finds none of its frames"


def it_restores_what_it_changed(kind: Kind, played: Played) -> Iterator[str]:
    """Yield the units whose cache was poisoned last, and not restored."""
    units = {episode.id: episode.unit for episode in played.plan.episodes}
    for unit in sorted({episode.unit for episode in episodes_of(kind, played.plan) if kind.on_path}):
        caches = [
            line["act"]
            for line in played.injector
            if line["event"] == "frame"
            and line["act"] in ("poison", "restore")
            and units[line["episode"]] == unit
        ]
        if caches[-1:] != ["restore"]:
            yield f"the last frame about the address of {unit} does not restore it"


CHECKS: tuple[Check, ...] = (
    it_did_what_was_planned,
    its_acts_are_bracketed_by_begin_and_end,
    it_keeps_to_its_time_and_its_budget,
    its_roles_are_those_of_its_row,
    it_leaves_a_trace_its_display_filter_finds,
    it_restores_what_it_changed,
)
"""All checks, in order."""
