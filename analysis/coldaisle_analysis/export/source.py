"""A finished run as the source of an export: its levels, its plan and the kind of each episode."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd

from coldaisle_analysis import tables
from coldaisle_analysis.arrays import Ints
from coldaisle_analysis.columns import Level
from coldaisle_analysis.dataset.aggregates import flows
from coldaisle_analysis.dataset.aggregates.cut import Cut
from coldaisle_contracts.manifest import Manifest
from coldaisle_contracts.plan import Plan
from coldaisle_contracts.taxonomy import Kind


@dataclass(frozen=True)
class Source:
    """A run to export; each level is read once.

    Attributes:
        run: the run's folder.
        manifest: its manifest.
        plan: its plan.
    """

    run: Path
    manifest: Manifest
    plan: Plan

    @classmethod
    def of(cls, run: Path) -> Self:
        """Read a finished run.

        Raises:
            InputError: if the folder holds no finished run.
        """
        return cls(run, Manifest.load(run), Plan.load(run / "plan.json"))

    @cached_property
    def packets(self) -> pd.DataFrame:
        """Level ``packets``."""
        return self.level("packets")

    @cached_property
    def kinds(self) -> dict[str, Kind]:
        """The kind of each episode, by its id."""
        return {episode.id: episode.row for episode in self.plan.episodes}

    @cached_property
    def flow(self) -> Ints:
        """The flow of each frame, -1 where it belongs to none, shape (frames,)."""
        flow = np.full(len(self.packets), -1, np.int64)
        flow[self.members.row] = self.members.flow
        return flow

    @cached_property
    def members(self) -> flows.Members:
        """The frames of each flow of level ``flows``."""
        return flows.members(self.packets, Cut())

    def level(self, level: Level) -> pd.DataFrame:
        """Read a level.

        Raises:
            InputError: if the run does not have the level.
        """
        return tables.read_level(self.run, level)
