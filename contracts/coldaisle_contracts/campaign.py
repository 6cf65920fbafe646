"""A campaign: many weeks of one or more scenarios, with a role for each week; its file, its tasks and its folder."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from coldaisle_contracts.errors import InputError
from coldaisle_contracts.manifest import MANIFEST
from coldaisle_contracts.texts import read_text, read_toml
from coldaisle_contracts.validation import MismatchError, Model

CAMPAIGN, TASKS, SCENARIOS, WEEKS, MAKING = "campaign.toml", "tasks.jsonl", "scenarios", "weeks", ".making"
"""Names in the folder of a campaign: its file, its tasks, copies of its scenarios, and the folders of its runs, finished and in the making."""
MOST_WEEKS = 10_000
"""Greatest number of weeks in a campaign."""
Role = Literal["train", "validate", "test"]
"""What a week is for: to learn from, to set thresholds and policies on, or to test on once."""
Size = Literal["S", "M", "L"]
"""A part of a campaign: S lies in M, and M in L, which is all of it."""
Seeds = Annotated[str, StringConstraints(pattern=r"^\d{1,10}(-\d{1,10})?( *, *\d{1,10}(-\d{1,10})?)*$")]
"""Seeds as numbers and ranges, such as ``1-16, 40``."""


def seeds_of(text: str) -> list[int]:
    """Return the seeds that a text such as ``1-16, 40`` names, in order.

    Raises:
        ValueError: if a range runs backwards, a seed comes twice, or there are too many.
    """
    seeds: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        span = range(int(first), int(last or first) + 1)
        if not span:
            raise ValueError(f"write the smaller number of {part.strip()} first")
        if len(seeds) + len(span) > MOST_WEEKS:
            raise ValueError(f"name at most {MOST_WEEKS:,} seeds")
        seeds += span
    if len(set(seeds)) < len(seeds):
        raise ValueError("name no seed twice")
    return seeds


class CampaignFile(Model):
    """The file of a campaign.

    Attributes:
        name: short name, part of the name of its folder.
        scenarios: scenario files, relative to the file's folder; each is played with every seed.
        seeds: the seeds, such as ``1-52``.
        overrides: keys of the scenarios that get another value, such as ``duration_h``.
        roles: the seeds of each role; together they are all seeds.
        sizes: the seeds of the parts S and M; what they leave out is L.
    """

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,30}$")]
    scenarios: tuple[str, ...] = Field(min_length=1)
    seeds: Seeds
    overrides: dict[str, Any] = Field(default={})
    roles: dict[Role, Seeds]
    sizes: dict[Literal["S", "M"], Seeds] = Field(default={})

    @field_validator("seeds")
    @classmethod
    def _in_order(cls, value: str) -> str:
        seeds_of(value)
        return value

    @model_validator(mode="after")
    def _complete(self) -> Self:
        seeds = set(seeds_of(self.seeds))
        for table, parts in (("roles", self.roles), ("sizes", self.sizes)):
            for name, text in parts.items():
                if strange := set(self._listed(f"{table}.{name}", text)) - seeds:
                    remedy = f"seed {min(strange)} is not among the campaign's seeds, {self.seeds}"
                    raise MismatchError(f"{table}.{name}", text, remedy)
        taken: dict[int, str] = {}
        for role, text in self.roles.items():
            for seed in seeds_of(text):
                if seed in taken:
                    remedy = f"seed {seed} is in {taken[seed]}, too: a week has one role"
                    raise MismatchError(f"roles.{role}", text, remedy)
                taken[seed] = role
        if missing := seeds - taken.keys():
            raise MismatchError("roles", self.roles, f"seed {min(missing)} has none: add it to one of them")
        if outside := set(self._part("S")) - set(self._part("M")):
            raise MismatchError("sizes.M", self.sizes.get("M"), f"add seed {min(outside)}, which is in S")
        return self

    @staticmethod
    def _listed(key: str, text: str) -> list[int]:
        try:
            return seeds_of(text)
        except ValueError as error:
            raise MismatchError(key, text, str(error)) from error

    def _part(self, size: Literal["S", "M"]) -> list[int]:
        """Return the seeds of a size; M without a table is everything, S without one is M."""
        text = self.sizes.get(size)
        if text is not None:
            return seeds_of(text)
        return seeds_of(self.seeds) if size == "M" else self._part("M")

    def role_of(self, seed: int) -> Role:
        """Return the role of the weeks with a seed."""
        return next(role for role, text in self.roles.items() if seed in seeds_of(text))

    def size_of(self, seed: int) -> Size:
        """Return the smallest part that the weeks with a seed belong to."""
        return "S" if seed in self._part("S") else "M" if seed in self._part("M") else "L"


def load_campaign_file(path: Path) -> CampaignFile:
    """Read the file of a campaign.

    Raises:
        InputError: naming file, key, value and what would be right.
    """
    return CampaignFile.check(read_toml(path, "name a readable campaign file, see campaigns/"), path)


class Week(Model):
    """A task of a campaign, one line of ``tasks.jsonl``: a week that is to be played.

    Attributes:
        scenario: name of its scenario.
        seed: its seed.
        role: what it is for.
        size: the smallest part of the campaign that it belongs to.
        digest: its name, 16 hexadecimal digits: it follows from its plan and the version of coldaisle.
        command: the command line that plays it, to be run in the campaign's folder.
    """

    scenario: str
    seed: int
    role: Role
    size: Size
    digest: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
    command: tuple[str, ...]

    @property
    def name(self) -> str:
        """Its name for people, such as ``week-3``."""
        return f"{self.scenario}-{self.seed}"


class CampaignFolder:
    """The folder of a campaign, with its tasks.

    Args:
        path: the folder.

    Attributes:
        path: the folder.
        file: the campaign's file.
        weeks: every week that belongs to it, in the order of the tasks.

    Raises:
        InputError: if it is not the folder of a campaign.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not (path / TASKS).is_file():
            raise InputError(path, "it is no campaign: `coldaisle campaign run FILE --out DIR` makes one")
        self.file = load_campaign_file(path / CAMPAIGN)
        self.weeks = tuple(self._tasks())

    def _tasks(self) -> Iterator[Week]:
        tasks = self.path / TASKS
        for number, line in enumerate(read_text(tasks, "make the campaign again").splitlines(), 1):
            yield Week.check(line, f"{tasks}: line {number}")

    def run_of(self, week: Week) -> Path:
        """Return the folder of a week's run, which need not exist."""
        return self.path / WEEKS / week.digest

    def is_done(self, week: Week) -> bool:
        """Tell whether a week was played and sealed."""
        return (self.run_of(week) / MANIFEST).is_file()

    def done(
        self, role: Role | None = None, scenario: str | None = None, sizes: tuple[Size, ...] = ("S", "M", "L")
    ) -> list[Week]:
        """Return the weeks that were played: all, or those of a role, of a scenario, or of some sizes."""
        return [
            week
            for week in self.weeks
            if role in (None, week.role)
            and scenario in (None, week.scenario)
            and week.size in sizes
            and self.is_done(week)
        ]
