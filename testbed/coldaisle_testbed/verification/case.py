"""Input of the checks of :mod:`verification`."""

from dataclasses import dataclass
from pathlib import Path

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
