"""Consistency of journal lines: with themselves, with the plan and with each other."""

from collections import defaultdict
from collections.abc import Collection, Iterator

from coldaisle_analysis.witness import own_acts
from coldaisle_analysis.witness.journals import WAITED, Journals, Line
from coldaisle_analysis.witness.verdict import Doubt
from coldaisle_contracts.absences import absences_ns
from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.journal_lines import UNWANTED
from coldaisle_contracts.taxonomy import Role

STEP_NS = SECOND
"""Largest step back in time from one line of a journal to the next, in ns: the machine's clock may be set."""
_PUNCTUAL_NS = 60 * SECOND
"""Largest distance from the planned time at which a unit connects or disconnects on a busy machine, in ns."""
_STAMP_NS = 2 * SECOND
"""The largest difference of a reading's stamp from true time plus the last correction, in ns."""
_PATIENT_NS = 600 * SECOND
"""The longest time that an episode waits for connections to close, in ns."""
_ON_PATH, _OWN = ("approach", "on_path", "begin", "end"), ("begin", "end")
_MAKES = {
    **dict.fromkeys(("poison", "restore", "acknowledge", "proceed", "clear", "reset", "speak", "syn", "ask"), Role.INJECTED),
    **dict.fromkeys(("repeat", "reply", "answer"), Role.CONSEQUENCE),
    **dict.fromkeys(("copy", "double"), Role.DUPLICATE),
    "relay": Role.RELAYED, "alter": Role.MODIFIED, "release": Role.DELAYED,
}  # fmt: skip
"""The role of a captured frame for each act."""


def doubts(journals: Journals, shard: str) -> Iterator[Doubt]:
    """Yield the contradictions in the journals of a shard."""
    acts = [line for line in journals.attacker[shard] if line["event"] == "act"]
    units = journals.of_units(shard)
    companions = journals.of_companions(shard)
    for name, lines in {"injector": journals.attacker[shard], **units, **companions}.items():
        reasons = [*_in_order(lines), *_phases(journals, lines), *_roles(lines)]
        if name in units:
            reasons += [*_readings(journals, name, lines), *_reasons(journals, name, lines)]
            reasons += _connections(journals.clients_of(name), lines, acts)
            reasons += own_acts.doubts(journals, name, lines)
        if name in companions:
            client = journals.plan.companions[name].client
            reasons += [*_messages(client, lines), *_reasons(journals, name, lines)]
            reasons += _connections([client], lines, acts)
        yield from (Doubt(f"journal/{name}.jsonl", reason) for reason in reasons)


def _in_order(lines: list[Line]) -> Iterator[str]:
    """Check that lines are in the order of their times."""
    latest = 0
    for line in lines:
        if line["event"] == "frame" and line["act"] in WAITED:
            continue
        at_ns = int(line["acked_ns"] if line["event"] in ("reading", "message") else line["at_ns"])
        if at_ns < latest - STEP_NS:
            yield f"has a line {line['event']} of {at_ns} ns, {(latest - at_ns) / SECOND:.1f} s before a line above it"
            return
        latest = max(latest, at_ns)


def _phases(journals: Journals, lines: list[Line]) -> Iterator[str]:
    """Check that an episode enters each phase once, at the planned time, and leaves the path when it restores the caches."""
    entered = defaultdict[str, dict[str, int]](dict)
    for line in lines:
        if line["event"] != "episode":
            continue
        phases = entered[line["episode"]]
        if line["phase"] in phases:
            yield f"says twice that {line['episode']} entered the phase {line['phase']}"
        phases[line["phase"]] = line["at_ns"]
    restored = {
        line["episode"]: line["at_ns"]
        for line in lines
        if line["event"] == "frame" and line["act"] == "restore"
    }
    for name, phases in entered.items():
        episode = journals.episodes.get(name)
        if episode is None:
            yield f"has phases of {name!r}, which the plan does not have"
            continue
        expected = [*(_ON_PATH if episode.row.on_path else _OWN), *(["off_path"] if name in restored else [])]
        if list(phases) != expected:
            yield f"says that {name} entered the phases {', '.join(phases)}; they should be {', '.join(expected)}"
            continue
        if "off_path" in phases and phases["off_path"] - restored[name] > STEP_NS:
            yield f"says that {name} left the path {(phases['off_path'] - restored[name]) / SECOND:.0f} s after it restored the caches"
        due = {"approach": episode.approach_ns, "begin": episode.begin_ns, "end": episode.end_ns}
        for phase, at_ns in due.items():
            if phase in phases and not -STEP_NS <= phases[phase] - at_ns <= _PATIENT_NS:
                yield f"says that {name} entered the phase {phase} {(phases[phase] - at_ns) / SECOND:.0f} s after its time"


def _roles(lines: list[Line]) -> Iterator[str]:
    """Check that the role of a frame follows from its act."""
    for line in lines:
        if line["event"] == "frame" and line["side"] == "broker" and line["role"] != _MAKES.get(line["act"]):
            yield f"has a frame whose role {line['role']} does not follow from its act {line['act']}"
            return


def _readings(journals: Journals, unit: str, lines: list[Line]) -> Iterator[str]:
    """Check that a reading is taken when due, then sent, then acknowledged, and that its stamp fits the last correction."""
    plan, offsets = journals.plan, dict[int, int]()
    for line in lines:
        if line["event"] == "time":
            offsets[line["slot"]] = line.get("offset_ns", 0)
        if line["event"] != "reading":
            continue
        name = f"reading {line['client']} slot {line['slot']}"
        if not plan.units[unit].rhythm.reports(line["slot"]):
            yield f"has {name}, and its unit does not report in this slot"
        episode = journals.episodes.get(line["episode"])
        stepped = episode is not None and episode.kind == "clock-step"
        if line["episode"] and (episode is None or episode.row.actor != "unit" or episode.unit != unit):
            yield f"puts {name} under episode {line['episode']!r}, which the plan does not have for it"
        if not line["taken_ns"] <= line["sent_ns"] <= line["acked_ns"]:
            yield f"says that {name} was not taken, sent and acknowledged in this order"
        late_ns = abs(line["taken_ns"] - plan.reading_ns(line["slot"], unit))
        if late_ns > _PUNCTUAL_NS * (1 + stepped):
            yield f"says that {name} was taken {late_ns / SECOND:.0f} s away from its time"
        expected = 0 if line["synced"] < 0 else offsets.get(line["synced"])
        stamp_ns = line["stamp_ns"] - line["taken_ns"]
        if expected is None or (not stepped and abs(stamp_ns - expected) > _STAMP_NS):
            yield f"says that the stamp of {name} is {stamp_ns / SECOND:.1f} s ahead, and slot {line['synced']}'s correction says otherwise"


def _messages(client: str, lines: list[Line]) -> Iterator[str]:
    """Check that a companion has no lines of a unit, and that its messages are of its client and sent before they are acknowledged."""
    for line in lines:
        if line["event"] not in ("connect", "disconnect", "message", "received"):
            yield f"has a line {line['event']}, which no companion writes"
            return
        if line["client"] != client or line["name"] != client:
            yield f"names a client {line['client']} {line['name']}, and it is {client}"
        elif line["event"] == "message" and line["sent_ns"] > line["acked_ns"]:
            yield f"says that a message on {line['topic']} was acknowledged before it was sent"


def _connections(clients: Collection[str], lines: list[Line], acts: list[Line]) -> Iterator[str]:
    """Check that a client has one connection at a time, and closes or loses it before it opens the next."""
    thrown = {act["client"] for act in acts}
    held: dict[str, int] = {}
    for line in lines:
        if line["event"] == "connect":
            if line["client"] not in clients or line["name"].partition("-")[0] != line["client"]:
                yield f"names a client {line['client']} {line['name']}, which is none of its own"
            if (
                line["client"] in held
                and line["reason"] not in (*UNWANTED, "cable")
                and line["client"] not in thrown
            ):
                yield f"says that {line['client']} connected from port {line['port']}, and not how its connection before ended"
            held[line["client"]] = line["port"]
        elif line["event"] == "disconnect" and held.pop(line["client"], 0) != line["port"]:
            yield f"says that {line['client']} disconnected from port {line['port']}, where it had no connection"


def _reasons(journals: Journals, unit: str, lines: list[Line]) -> Iterator[str]:
    """Check that a unit connects at the start of a day and disconnects at its end, or for an episode or a lost connection."""
    plan, times = journals.plan, defaultdict[str, list[int]](list)
    for day in range(plan.scenario.days):
        times["start"].append(plan.connect_ns(day, unit))
        times["end"].append(plan.disconnect_ns(day, unit))
        if unit in plan.companions:
            away = absences_ns(plan, plan.companions[unit], day)
            times["absence"] += [at_ns for absence in away for at_ns in absence]
    for line in lines:
        if line["event"] not in ("connect", "disconnect"):
            continue
        action = f"{line['client']} {line['event']}ed from port {line['port']}"
        episode, reason = journals.episodes.get(line["episode"]), line["reason"]
        if reason in times:
            near = min(abs(line["at_ns"] - at) for at in times[reason])
            true = near <= _PUNCTUAL_NS and not line["episode"]
        else:
            is_own = episode is not None and episode.unit == unit and episode.kind == reason
            true = is_own or (reason in UNWANTED and not line["episode"])
        if not true:
            yield f"says that {action} because of {reason!r} {line['episode']}, which the plan does not have for it"
