"""Acts: whether what the plan wants was done, once each, within its episode, and nothing else."""

from collections import Counter
from collections.abc import Callable, Iterator

import pandas as pd

from coldaisle_analysis.truth.readings import KEY, Account
from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.plan import Act, Episode
from coldaisle_contracts.taxonomy import Edit
from coldaisle_contracts.topics import encode_value

_MODIFY: Edit = "modify"
_GRACE = SECOND
"""How much later than its end an episode's last line may be written, ns."""
Line = tuple[str, int, int, str]
"""Episode, slot, sensor, operation."""


def played(account: Account) -> Iterator[str]:
    """Yield a sentence for every act of the plan that was not played as planned, and for every one beside the plan."""
    plan = account.evidence.plan
    wanted = Counter(
        (episode.id, act.slot, act.sensor, name)
        for episode in plan.episodes
        for act in episode.acts
        for name in journalled(episode, act)
    )
    lines = account.evidence.acts[["episode", "slot", "sensor", "operation"]]
    done: Counter[Line] = Counter(lines.itertuples(index=False, name=None))
    for episode, slot, sensor, name in sorted((wanted - done).elements()):
        if name != _MODIFY:  # whether a value had to change follows from the values, below
            yield f"episode {episode}: {name} of sensor {sensor} slot {slot} was not played"
    if strange := sorted((done - wanted).elements()):
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
    """Every value that was to be changed is what the act makes of it."""
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
        if (
            expected is None
        ):  # frozen or replayed: that it changed or stayed is all that can be told from this reading
            continue
        sent = number(row[3])
        if sent is None or row[4] != _within(episode, act, expected(sent, act.amount)):
            yield f"episode {episode.id}: {act.operation} of reading {row[5]} slot {act.slot} was not played"


_EXPECTED: dict[str, Callable[[float, float], float]] = {
    "shift": lambda celsius, amount: celsius + amount,
    "scale": lambda celsius, amount: celsius * amount,
}


def number(text: object) -> float | None:
    """Return the number that a payload is, ``None`` where it is none."""
    try:
        return float(str(text))
    except ValueError:
        return None


def _within(episode: Episode, act: Act, celsius: float) -> str:
    """Return the payload of a changed value, kept inside the sensor's normal range when the episode hides."""
    text = encode_value(celsius).decode("ascii")
    if episode.stealth and act.sensor in episode.normal:
        least, most = episode.normal[act.sensor]
        text = encode_value(min(max(float(text), least), most)).decode("ascii")
    return text


def _bracketed(account: Account) -> Iterator[str]:
    """Every episode begins and ends, and its acts lie between, on its target."""
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
        yield f"episode {line['episode']}: {line['operation']} on {line['unit']}, who is not its target"


def _budgets(account: Account) -> Iterator[str]:
    """No episode made more frames than the plan allows."""
    frames = account.evidence.frames
    made = frames[frames["role"].isin(["injected", "duplicate", "delayed"])].groupby("episode").size()
    for episode in account.evidence.plan.episodes:
        if made.get(episode.id, 0) > episode.packets:
            yield f"episode {episode.id}: made {made[episode.id]} frames, the plan allows {episode.packets}"
