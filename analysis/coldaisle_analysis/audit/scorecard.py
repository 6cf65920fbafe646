"""The scorecard: the results of an audit as a file and by group, and the comparison with another scorecard."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from coldaisle_analysis.audit import GROUPS, Result, Status
from coldaisle_contracts import texts
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.texts import read_json

SCORECARD = "SCORECARD.json"
NOTE = "These are signals with their evidence, not verdicts: a signal may be the very nature of an attack."
_LOUDNESS = {Status.ABSENT: 0, Status.OK: 0, Status.LOOK: 1, Status.BAD: 2}


def counts(results: Sequence[Result]) -> dict[str, int]:
    """Return how many checks have each status."""
    return {str(status): sum(result.status is status for result in results) for status in Status}


def as_dict(name: str, results: Sequence[Result], remarks: Sequence[str] = ()) -> dict[str, Any]:
    """Return a scorecard: the name of the subject, how many checks have each status, and every check; remarks, if there are any."""
    rows = [result.row() for result in results]
    card = {"subject": name, "note": NOTE, "counts": counts(results), "checks": rows}
    return card | ({"remarks": list(remarks)} if remarks else {})


def write(name: str, results: Sequence[Result], path: Path, remarks: Sequence[str] = ()) -> None:
    """Write a scorecard; the file is renamed into place.

    Raises:
        InputError: if the folder cannot be written to.
    """
    card = json.dumps(as_dict(name, results, remarks), indent=1, allow_nan=False) + "\n"
    try:
        texts.write(path, card)
    except OSError as error:
        raise InputError(path, f"cannot be written ({error.strerror}): name another file") from error


def read(path: Path) -> dict[str, Any]:
    """Read a scorecard.

    Raises:
        InputError: if it is missing or is no scorecard.
    """
    remedy = "name a scorecard, as `coldaisle audit RUN --json FILE` writes it"
    card: dict[str, Any] = read_json(path, remedy)
    try:
        _statuses(card)
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(path, remedy) from error
    return card


def worse(card: dict[str, Any], reference: dict[str, Any]) -> list[str]:
    """Return a sentence for each check whose status is worse than in a reference, or that is ``n/a`` only here."""
    now, before = _statuses(card), _statuses(reference)
    sentences = []
    for (name, level), status in before.items():
        here = now.get((name, level), Status.ABSENT)
        lost = here is Status.ABSENT and status is not Status.ABSENT
        if lost or _LOUDNESS[here] > _LOUDNESS[status]:
            sentences.append(f"{name} of {level} is {here}, was {status}")
    return sentences


def _statuses(card: dict[str, Any]) -> dict[tuple[str, str], Status]:
    return {(row["id"], row["level"]): Status(row["status"]) for row in card["checks"]}


def by_group(results: Sequence[Result]) -> dict[str, list[Result]]:
    """Return the results of each group of checks, by the group's name."""
    return {
        name: [result for result in results if result.check.id.startswith(letter)]
        for letter, name in GROUPS.items()
    }
