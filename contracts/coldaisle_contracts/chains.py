"""The times of a chain of episodes: a step may say how long after the start of the step before it begins."""

from collections.abc import Mapping, Sequence
from datetime import time, timedelta
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from coldaisle_contracts.validation import MismatchError

AFTER: Final = "after_min"
"""Key of a step: time from the start of the step before it, in min; it stands for ``day`` and ``start``."""
_MOST_MIN = 92 * 24 * 60
_DAY = timedelta(days=1)
_TIME = TypeAdapter(time)


def timed(steps: Sequence[Any]) -> list[Any]:
    """Return the steps of a chain, each with ``day`` and ``start`` in place of :data:`AFTER`.

    Args:
        steps: the steps as a file has them; what is no table is left to the check of the steps.

    Raises:
        MismatchError: if a step has both, the first one has nothing to follow, or the time is none.
    """
    placed = list[Any]()
    for number, step in enumerate(steps):
        if isinstance(step, Mapping) and AFTER in step:
            placed.append(_placed(number, step, placed[-1] if placed else None))
        else:
            placed.append(step)
    return placed


def _placed(number: int, step: Mapping[str, Any], before: Any) -> dict[str, Any]:
    key, after = f"steps.{number}.{AFTER}", step[AFTER]
    if number == 0:
        raise MismatchError(key, after, "give day and start instead, because no step is before it")
    if both := [name for name in ("day", "start") if name in step]:
        raise MismatchError(key, after, f"remove it or {both[0]}: either gives the time of the step")
    if type(after) not in (int, float) or not 0 < after <= _MOST_MIN:
        raise MismatchError(key, after, f"give minutes, more than 0 and at most {_MOST_MIN}")
    bare = {name: value for name, value in step.items() if name != AFTER}
    since = _since_the_first_midnight(before)
    if since is None:
        return bare  # the step before is refused, and its error is the first
    days, in_day = divmod(since + timedelta(minutes=after), _DAY)
    seconds = int(in_day.total_seconds())
    start = time(seconds // 3600, seconds // 60 % 60, seconds % 60)
    return {**bare, "day": days + 1, "start": start}


def _since_the_first_midnight(step: Any) -> timedelta | None:
    """Return the start of a step, from the beginning of the run; ``None`` if it has no valid one."""
    if not isinstance(step, Mapping) or type(day := step.get("day")) is not int:
        return None
    try:
        start = _TIME.validate_python(step.get("start"))
    except ValidationError:
        return None
    seconds = timedelta(hours=start.hour, minutes=start.minute, seconds=start.second)
    return (day - 1) * _DAY + seconds if 1 <= day <= _MOST_MIN else None
