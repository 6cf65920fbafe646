"""Verification: a finished run is checked again, and each thing that does not hold is a sentence.

A check is a function from a :class:`Case` to sentences. To add one, write it and put it into :data:`CHECKS`.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

from coldaisle_analysis import ledger
from coldaisle_contracts.errors import TrustError
from coldaisle_contracts.manifest import Manifest
from coldaisle_testbed.verification.case import Case

__all__ = ["CHECKS", "Case", "verify"]

Check = Callable[[Case], Iterable[str]]
"""Yields a sentence for each thing that does not hold."""


def _adds_up(case: Case) -> Iterable[str]:
    """Every reading, act and frame is accounted for, and the folder is what its manifest says."""
    return ledger.check(case.run, case.account)


CHECKS: tuple[Check, ...] = (_adds_up,)
"""What has to hold, in the order in which it is looked at."""


def verify(run: Path) -> str:
    """Check a finished run and return what holds, in sentences.

    Args:
        run: its folder.

    Raises:
        InputError: if the folder holds no finished run, or it cannot be read.
        TrustError: naming everything that does not hold.
    """
    case = Case(run, Manifest.load(run), ledger.settled(run))
    if broken := [sentence for check in CHECKS for sentence in check(case)]:
        raise TrustError(broken)
    counts, proof = case.manifest.counts, ledger.prove(run, case.account)
    return (
        f"{case.manifest.id}: {len(case.manifest.files)} files unchanged, {counts['packets']:,} packets, "
        f"{counts['readings']:,} readings, {counts['kernel_drops']} dropped, "
        f"{counts['packets_attack']:,} attack frames, every act found, every reading accounted for.\n"
        f"label precision {proof.precision:.4f}, recall {proof.recall:.4f}, {proof.unexplained} unexplained frames\n"
        f"semantic digest {case.manifest.semantic_digest}"
    )
