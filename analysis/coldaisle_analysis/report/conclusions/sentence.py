"""A sentence of the report, and how it says a time."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Sentence:
    """A sentence of the report and where its numbers are.

    Attributes:
        topic: what it is about; sentences of a topic stand together.
        text: plain text.
        figure: anchor of the figure or table it speaks of.
    """

    topic: str
    text: str
    figure: str


def within(seconds: float) -> str:
    """Return how long something took as a person says it."""
    if seconds < 0.1:  # noqa: PLR2004 - a tenth of a second
        return "at once"
    if seconds < 120:  # noqa: PLR2004 - up to two minutes in seconds
        return f"within {seconds:.1f} s" if seconds < 10 else f"within {seconds:.0f} s"  # noqa: PLR2004
    return f"within {seconds / 60:.0f} min"
