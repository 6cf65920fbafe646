"""Checks of acts: every act of the plan was played once, within its episode, and no other act was played."""

from collections import Counter
from collections.abc import Callable, Iterator

import pandas as pd

from coldaisle_analysis.truth.deliveries import KEY
from coldaisle_analysis.truth.readings import Account
from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.plan import Act, Episode
from coldaisle_contracts.taxonomy import Edit
from coldaisle_contracts.topics import encode_value

_MODIFY: Edit = "modify"
_GRACE = SECOND
"""Longest time from the end of an episode to its last line in the journal, in ns."""
Line = tuple[str, int, int, str]
"""Episode, slot, sensor, operation."""


def played(account: Account) -> Iterator[str]:
    """Yield a sentence for every act that was not played as planned, and for acts that are not in the plan."""
    plan = account.evidence.plan
    planned = Counter(
        (episode.id, act.slot, act.sensor, name)
        for episode in plan.episodes
        for act in episode.acts
        for name in journalled(episode, act)
    )
    lines = account.evidence.acts[["episode", "slot", "sensor", "operation"]]
    done: Counter[Line] = Counter(lines.itertuples(index=False, name=None))
    for episode, slot, sensor, name in sorted((planned - done).elements()):
        if name != _MODIFY:  # whether a value had to change follows from the values, below
            yield f"episode {episode}: {name} of sensor {sensor} slot {slot} was not played"
    if strange := sorted((done - planned).elements()):
        episode, slot, sensor, name = strange[0]
        yield (
            f"{len(strange)} acts are not in the plan, the first {name} of sensor {sensor} slot {slot} "
            f"in episode {episode}"
        )
    yield from _values(account)
    yield from _bracketed(account)
    yield from _budgets(account)


def journalled(episode: Episode, act: Act) -> list[str]:
    """Return the operations the journal holds for a planned act of an episode."""
    if act.operation == "copy":
        return ["copy"] * len(act.times_ns)
    if act.operation == "hold":
        return ["hold", "release"]
    return [_MODIFY if episode.row.edit == _MODIFY else act.operation]


def _values(account: Account) -> Iterator[str]:
    """Yield a sentence for every modified value that is not the result of its act."""
    chosen = {
        (episode.unit, act.sensor, act.slot): (episode, act)
        for episode in account.evidence.plan.episodes
        for act in episode.acts
        if episode.row.edit == _MODIFY
    }
    at = pd.MultiIndex.from_frame(account.readings[list(KEY)])
    table = account.readings[at.isin(list(chosen))]
    columns = (*KEY, "sent", "received", "client_id")
    for row in table[list(columns)].itertuples(index=False, name=None):
        episode, act = chosen[row[0], row[1], row[2]]
        expected = _EXPECTED.get(act.operation)
        if expected is None:  # frozen or replayed: the value expected does not follow from this reading alone
            continue
        sent = number(row[3])
        if sent is None or row[4] != _within(episode, act, expected(sent, act.amount)):
            yield f"episode {episode.id}: {act.operation} of reading {row[5]} slot {act.slot} was not played"


_EXPECTED: dict[str, Callable[[float, float], float]] = {
    "shift": lambda celsius, amount: celsius + amount,
    "scale": lambda celsius, amount: celsius * amount,
}


def number(text: object) -> float | None:
    """Return a payload as a number, ``None`` where it is no number."""
    try:
        return float(str(text))
    except ValueError:
        return None


def _within(episode: Episode, act: Act, celsius: float) -> str:
    """Return the payload of a modified value, limited to the sensor's normal range if the episode is stealthy."""
    text = encode_value(celsius).decode("ascii")
    if episode.stealth and act.sensor in episode.normal:
        least, most = episode.normal[act.sensor]
        text = encode_value(min(max(float(text), least), most)).decode("ascii")
    return text


def _bracketed(account: Account) -> Iterator[str]:
    """Yield a sentence for every episode that lacks begin or end, or has acts outside them or on another unit."""
    lines = account.evidence.phases[["episode", "phase", "at_ns"]].itertuples(index=False, name=None)
    times = {(episode, phase): int(at_ns) for episode, phase, at_ns in lines}
    grouped = account.evidence.acts.groupby("episode")["at_ns"]
    first, last = grouped.min().to_dict(), grouped.max().to_dict()
    for episode in account.evidence.plan.episodes:
        begin, end = times.get((episode.id, "begin")), times.get((episode.id, "end"))
        if begin is None or end is None:
            yield f"episode {episode.id}: the journal does not say when it began and ended"
        elif first.get(episode.id, begin) < begin or last.get(episode.id, end) > end + _GRACE:
            yield f"episode {episode.id}: acts outside its begin and end"
    targets = {episode.id: episode.unit for episode in account.evidence.plan.episodes}
    done = account.evidence.acts
    wrong = done[done["unit"] != done["episode"].map(targets)]
    if len(wrong):
        line = wrong.iloc[0]
        yield f"episode {line['episode']}: {line['operation']} on {line['unit']}, which is not its target"


def _budgets(account: Account) -> Iterator[str]:
    """Yield a sentence for every episode that made more frames than the plan allows."""
    frames = account.evidence.frames
    count = frames[frames["role"].isin(["injected", "duplicate", "delayed"])].groupby("episode").size()
    for episode in account.evidence.plan.episodes:
        if count.get(episode.id, 0) > episode.packets:
            yield f"episode {episode.id}: made {count[episode.id]} frames, but the plan allows {episode.packets}"
