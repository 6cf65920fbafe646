"""Verification: a finished run is checked again, and each thing that does not hold is a sentence.

First the folder is held against its manifest (:mod:`folder`). Then nothing in it is believed that can be derived: a check is a
function from a :class:`Case` to sentences. To add one, write it and put it into :data:`CHECKS`.
"""

import re
from collections.abc import Callable, Iterable
from pathlib import Path

from coldaisle_analysis.truth import ledger
from coldaisle_contracts.errors import InputError, TrustError, UnforeseenError
from coldaisle_contracts.manifest import MANIFEST, Manifest, digest_of
from coldaisle_contracts.unforeseen import as_known
from coldaisle_testbed import signing
from coldaisle_testbed.verification import derived, facts, folder
from coldaisle_testbed.verification.case import Case
from coldaisle_testbed.verification.witnessed import labels_agree

__all__ = ["CHECKS", "Case", "verify"]

Check = Callable[[Case], Iterable[str]]
"""Yields a sentence for each thing that does not hold."""
_SHA256 = re.compile(r"[0-9a-f]{64}")


def _adds_up(case: Case) -> Iterable[str]:
    """Every reading, act and frame is accounted for."""
    return ledger.check(case.run, case.account)


CHECKS: tuple[Check, ...] = (
    _adds_up,
    facts.stated,
    facts.planned,
    facts.complete,
    facts.noted,
    facts.described,
    derived.captures,
    derived.tables,
    labels_agree,
)
"""What has to hold, in the order in which it is looked at."""


def verify(run: Path, digest: str | None = None, signers: Path | None = None) -> str:
    """Check a finished run and return what holds, in sentences.

    Args:
        run: its folder.
        digest: the sha256 its manifest has to have, hex.
        signers: who may have signed it, see :mod:`signing`.

    Raises:
        InputError: if the folder holds no finished run, it cannot be read, or an argument is malformed.
        TrustError: naming everything that does not hold.
    """
    if digest is not None and not _SHA256.fullmatch(digest.lower()):
        raise InputError(
            "--manifest-digest", "give the 64 hexadecimal digits that `coldaisle up` printed", digest
        )
    manifest, found = Manifest.load(run), digest_of(run)
    if digest is not None and digest.lower() != found:
        raise TrustError([f"{MANIFEST} has the sha256 {found}, not the one asked for"])
    who = None if signers is None else signing.signed_by(run, signers)
    if broken := folder.unsealed(run, manifest):
        raise TrustError(broken)
    case = Case(run, manifest, _settled(run))
    if broken := [sentence for check in CHECKS for sentence in _asked(check, case)]:
        raise TrustError(broken)
    return "\n".join(
        [*_held(case), f"sha256 of its manifest {found}", *([f"signed by {who}"] if who else [])]
    )


def _settled(run: Path) -> ledger.Account:
    """Settle a run; where journals, plan and captures fit together so badly that nobody foresaw it, it is not trustworthy."""
    try:
        return ledger.settled(run)
    except Exception as error:
        known = as_known(error)
        if isinstance(known, UnforeseenError):
            raise TrustError([f"journals, plan and captures do not fit together: {known}"]) from error
        raise


def _asked(check: Check, case: Case) -> Iterable[str]:
    """Yield what a check says; where it cannot be made at all, that is what does not hold."""
    try:
        yield from check(case)
    except Exception as error:  # noqa: BLE001 - the folder is as its manifest says, so what it says cannot be
        yield str(as_known(error))


def _held(case: Case) -> Iterable[str]:
    """Yield what holds."""
    counts, proof = case.manifest.counts, ledger.prove(case.run, case.account)
    yield (
        f"{case.manifest.id}: {len(case.manifest.files)} files unchanged, {counts['packets']:,} packets, "
        f"{counts['readings']:,} readings, {counts['kernel_drops']} dropped, "
        f"{counts['packets_attack']:,} attack frames, every act found, every reading accounted for."
    )
    yield "captures and tables derived again from raw captures and journals: the same"
    yield "label of every frame found a second way, by a witness that shares no code with the labeller: the same"
    yield f"label precision {proof.precision:.4f}, recall {proof.recall:.4f}, {proof.unexplained} unexplained frames"
    yield f"semantic digest {case.manifest.semantic_digest}"
