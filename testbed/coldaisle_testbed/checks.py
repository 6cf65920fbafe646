"""What a check of this machine says."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """Check of one thing that a run may need.

    Attributes:
        name: name of the thing.
        ok: whether it exists and works.
        finding: what was found.
        remedy: what to do about it; empty when it works.
        engine: the engine that needs it: ``netns``, ``compose``, or empty for both.
    """

    name: str
    ok: bool
    finding: str
    remedy: str = ""
    engine: str = ""


def checked(name: str, finding: str, remedy: str, engine: str = "", *, ok: bool) -> Check:
    """Return a check, without the remedy where none is needed."""
    return Check(name, ok, finding, "" if ok else remedy, engine)
