"""A sentence of the report, the topics of its first screen, and the wording of a time."""

from dataclasses import dataclass

FOUND = "What was found, and how early"
MISSED = "What was not found"
TRUST = "How far to trust it"
ANSWERS = (FOUND, MISSED, TRUST)
"""The topics of the report's first screen, in their order."""


@dataclass(frozen=True)
class Sentence:
    """A sentence of the report and where its numbers are.

    Attributes:
        topic: the topic; sentences of a topic are shown together.
        text: plain text.
        figure: anchor of the figure or table that shows its numbers.
    """

    topic: str
    text: str
    figure: str


def within(seconds: float) -> str:
    """Return a time in s in the words of a sentence."""
    if seconds < 0.1:  # noqa: PLR2004 - a tenth of a second
        return "at once"
    if seconds < 120:  # noqa: PLR2004 - up to two minutes in seconds
        return f"within {seconds:.1f} s" if seconds < 10 else f"within {seconds:.0f} s"  # noqa: PLR2004
    return f"within {seconds / 60:.0f} min"
