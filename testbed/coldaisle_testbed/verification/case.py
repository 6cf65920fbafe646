"""Input of the checks of :mod:`verification`."""

import re
from dataclasses import dataclass
from pathlib import Path

from coldaisle_analysis.tables import FORMS
from coldaisle_analysis.truth.readings import Account
from coldaisle_contracts.manifest import Manifest


@dataclass(frozen=True)
class Case:
    """Finished run under verification.

    Attributes:
        run: its folder.
        manifest: its manifest as it was read, not yet trusted.
        account: its settled account, derived from plan, journals and captures alone.
    """

    run: Path
    manifest: Manifest
    account: Account

    @property
    def forms(self) -> tuple[str, ...]:
        """Return the forms in which the run has its tables: CSV is there if a run was asked for it, or is an older one."""
        has_csv = any(re.fullmatch(r"dataset/\w+\.csv", name) for name in self.manifest.files)
        return FORMS if has_csv else FORMS[:1]
