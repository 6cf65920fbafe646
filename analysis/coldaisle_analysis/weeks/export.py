"""Export of a campaign: one data set of many weeks in a folder that can be uploaded as it is, written whole or not at all."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pyarrow.compute as pc  # type: ignore[import-untyped]

from coldaisle_analysis import metadata
from coldaisle_analysis.audit import examine
from coldaisle_analysis.audit.scorecard import SCORECARD
from coldaisle_analysis.columns import LEVELS, Level
from coldaisle_analysis.metadata.facts import Facts
from coldaisle_analysis.staging import refuse_used, staged
from coldaisle_analysis.weeks import card, croissant, datasheet, partitions, publishing, splits
from coldaisle_analysis.weeks.campaign_data import CampaignData
from coldaisle_analysis.weeks.exported import Exported
from coldaisle_analysis.weeks.facts import CampaignFacts, WeekFacts, publisher
from coldaisle_analysis.weeks.scorecard import Scorecard
from coldaisle_analysis.weeks.splits import Member
from coldaisle_contracts.campaign import CAMPAIGN, Size, Week
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.manifest import digest_of, sha256_of

SMALL = 100_000_000
"""Greatest size of a data set of size S, in bytes."""
SUMS, README, COLUMNS = "SHA256SUMS", "README.md", "COLUMNS.md"
PARTS: dict[Size, tuple[Size, ...]] = {"S": ("S",), "M": ("S", "M"), "L": ("S", "M", "L")}
"""The sizes of the weeks that each part of a campaign has."""


def export(campaign: Path, size: Size, out: Path | None, progress: Callable[[str], None]) -> Exported:
    """Write the weeks of a campaign that were played as one data set; one week is in memory at a time.

    Args:
        campaign: the campaign's folder.
        size: the part of the campaign.
        out: the folder to make; by default ``export/NAME-SIZE`` in the campaign.
        progress: called with one line per week.

    Returns:
        What was written.

    Raises:
        InputError: if the folder is no campaign, nothing was played, a file of a week is not as it was sealed, two scenarios differ in who
            publishes them, size S becomes too large, or the folder exists or cannot be written to.
    """
    data = CampaignData(campaign)
    weeks, publish = (
        data.weeks(sizes=PARTS[size]),
        publisher(campaign, dict.fromkeys(week.scenario for week in data.folder.weeks)),
    )
    _refuse_none(data, weeks, size)
    final = out or campaign / "export" / f"{data.folder.file.name}-{size}"
    refuse_used(final)
    with staged(final.parent / f".{final.name}") as folder:
        gathered, scores = Scorecard(), list[WeekFacts]()
        for number, week in enumerate(weeks, 1):
            progress(f"{week.name} ({number} of {len(weeks)})")
            scores.append(_write_week(data, week, folder, gathered))
            _refuse_large(campaign, folder, size, number, len(weeks))
        split = splits.write(folder, ((week.role, week.member) for week in scores))
        missing = [week.name for week in data.missing(PARTS[size])]
        facts = CampaignFacts(data.folder.file.name, size, scores, missing, publish, split)
        counts = _describe(facts, gathered, folder)
        _refuse_large(campaign, folder, size, len(weeks), len(weeks))
        written = _size_of(folder)
        if final.is_dir():
            final.rmdir()  # it is empty
        folder.rename(final)
    return Exported(final, facts, written, counts)


def _refuse_none(data: CampaignData, weeks: Sequence[Week], size: Size) -> None:
    if not weeks:
        raise InputError(data.folder.path, f"no week of size {size} was played: run the campaign first")
    names = [week.name for week in weeks]
    if twice := sorted(name for name in set(names) if names.count(name) > 1):
        raise InputError(data.folder.path, f"two weeks have the name {twice[0]}: make the campaign again")


def _write_week(data: CampaignData, week: Week, folder: Path, gathered: Scorecard) -> WeekFacts:
    """Write the rows of a week, add its audit, and return what the descriptions say of it."""
    run, manifest = data.folder.run_of(week), data.manifest(week)
    for name, digest in manifest.files.items():
        if not (run / name).is_file() or sha256_of(run / name) != digest:
            remedy = "it is not as the week's manifest says: remove the week, and run the campaign again"
            raise InputError(run / name, remedy)
    member = Member.of(week, manifest, digest_of(run))
    attacks = dict[Level, int]()
    for level in LEVELS:
        table = data.table(week, level)
        attacks[level] = pc.sum(table.column("label")).as_py() or 0
        partitions.write(table, folder, level, week.role, member.week)
    gathered.add(week.name, examine.path(run)[1])
    return WeekFacts.of(week.role, member, Facts.of(run, manifest), attacks)


def _refuse_large(campaign: Path, folder: Path, size: Size, number: int, weeks: int) -> None:
    if size == "S" and (written := _size_of(folder)) > SMALL:
        remedy = (
            f"{number} of its {weeks} weeks come to {written / 1e6:,.0f} MB, and at most {SMALL / 1e6:,.0f} MB are small: "
            f"name fewer seeds in S, in the table [sizes] of {campaign / CAMPAIGN}"
        )
        raise InputError("--size", remedy, size)


def _size_of(folder: Path) -> int:
    return sum((folder / name).stat().st_size for name in _files(folder))


def _files(folder: Path) -> Iterator[str]:
    """Yield the files of a folder by their paths relative to it, sorted."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.relative_to(folder).as_posix()


def _describe(facts: CampaignFacts, gathered: Scorecard, folder: Path) -> dict[str, int]:
    """Write all descriptions and the checksums, and return how many checks have each status."""
    scores = gathered.as_dict(facts)
    texts = {
        SCORECARD: json.dumps(scores, indent=1, allow_nan=False) + "\n",
        metadata.DATASHEET: datasheet.datasheet(facts, scores),
        README: card.readme(facts),
        COLUMNS: card.columns_page(),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    publishing.write(facts, folder)
    described = [name for name in _files(folder) if not name.endswith(".parquet")]
    sums = "".join(f"{sha256_of(folder / name)}  {name}\n" for name in _files(folder))
    (folder / SUMS).write_text(sums, encoding="utf-8")
    content = croissant.croissant(facts, folder, [*described, SUMS])
    text = json.dumps(content, indent=1, ensure_ascii=False)
    (folder / metadata.CROISSANT).write_text(text + "\n", encoding="utf-8")
    counts: dict[str, int] = scores["counts"]
    return counts
