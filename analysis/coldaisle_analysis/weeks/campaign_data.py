"""The rows of a campaign, one week after another, so that memory does not grow with the number of weeks."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet  # type: ignore[import-untyped]

from coldaisle_analysis.columns import Level
from coldaisle_analysis.weeks.schema import conformed
from coldaisle_contracts.campaign import CampaignFolder, Role, Size, Week
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.manifest import Manifest, sha256_of

_DAMAGED = (
    "it is not the file that the week's manifest names: play the week again with `coldaisle campaign run`"
)


class CampaignData:
    """The weeks of a campaign that were played and sealed, and their rows.

    Args:
        path: folder of the campaign.

    Attributes:
        folder: the campaign's folder with its file and all of its weeks.

    Raises:
        InputError: if it is not the folder of a campaign.
    """

    def __init__(self, path: Path | str) -> None:
        self.folder = CampaignFolder(Path(path))
        self._sizes = {
            seed: self.folder.file.size_of(seed) for seed in {week.seed for week in self.folder.weeks}
        }

    def weeks(
        self, role: Role | None = None, scenario: str | None = None, sizes: Sequence[Size] = ("S", "M", "L")
    ) -> list[Week]:
        """Return the weeks that were played, in the order of the tasks: all, or those of a role, a scenario or some sizes."""
        return [week for week in self.folder.done(role, scenario) if self.size_of(week) in sizes]

    def missing(self, sizes: Sequence[Size] = ("S", "M", "L")) -> list[Week]:
        """Return the weeks of some sizes that were not played yet."""
        return [
            week
            for week in self.folder.weeks
            if self.size_of(week) in sizes and not self.folder.is_done(week)
        ]

    def size_of(self, week: Week) -> Size:
        """Return the smallest part of the campaign that a week belongs to, by the folder's own file.

        Sizes do not change what is played, so that table may be changed afterwards.
        """
        return self._sizes[week.seed]

    def tables(
        self,
        level: Level,
        role: Role | None = None,
        scenario: str | None = None,
        sizes: Sequence[Size] = ("S", "M", "L"),
        columns: Sequence[str] | None = None,
    ) -> Iterator[tuple[Week, pa.Table]]:
        """Yield each week with the rows of a level; one week is in memory at a time.

        Args:
            level: the level.
            role: yield weeks of this role alone.
            scenario: yield weeks of this scenario alone.
            sizes: yield weeks of these sizes alone.
            columns: names of the columns to read; all when left out.

        Yields:
            A week and its rows in order, with the schema of the level (:func:`~coldaisle_analysis.weeks.schema.schema_of`);
            text is dictionary-encoded, so pandas makes categories of it.

        Raises:
            InputError: if a week's file is missing, or is not the one that its manifest names.
        """
        for week in self.weeks(role, scenario, sizes):
            yield week, self.table(week, level, columns)

    def manifest(self, week: Week) -> Manifest:
        """Return the manifest of a week that was played.

        Raises:
            InputError: if it cannot be read, or is that of another week.
        """
        run = self.folder.run_of(week)
        manifest = Manifest.load(run)
        if (manifest.scenario, manifest.seed) != (week.scenario, week.seed):
            played = f"{manifest.scenario}-{manifest.seed}"
            raise InputError(run, f"it is not {week.name}: remove it, and run the campaign again", played)
        return manifest

    def table(self, week: Week, level: Level, columns: Sequence[str] | None = None) -> pa.Table:
        """Return the rows of a level of one week, see :meth:`tables`."""
        name = f"dataset/{level}.parquet"
        path = self.folder.run_of(week) / name
        sealed = self.manifest(week).files.get(name)
        try:
            if sha256_of(path) != sealed:
                raise InputError(path, _DAMAGED)
            table = pa.parquet.read_table(path, partitioning=None)
        except (OSError, pa.ArrowException) as error:
            raise InputError(path, _DAMAGED) from error
        table = conformed(table, level, path)
        return table if columns is None else table.select(list(columns))
