"""What a check of :mod:`verification` is given."""

from dataclasses import dataclass
from pathlib import Path

from coldaisle_analysis.truth.readings import Account
from coldaisle_contracts.manifest import Manifest


@dataclass(frozen=True)
class Case:
    """A finished run that is checked.

    Attributes:
        run: its folder.
        manifest: its manifest, as it was read; nothing in it is believed.
        account: its settled account, from plan, journals and captures alone.
    """

    run: Path
    manifest: Manifest
    account: Account
