"""What a report describes. The module imports nothing, so that an analysis can begin before the report's libraries are imported."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Subject:
    """The run or the captures that a report describes.

    Attributes:
        name: id of the run, or number and first name of the captures.
        title: the heading of the page.
        origin: a few sentences on the origin of the traffic.
        facts: label and value of facts that the dataset does not hold, such as drops and digest.
        notes: limits of the data itself, one sentence each; the first is the most important.
    """

    name: str
    title: str
    origin: str
    facts: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
