"""Verification of a finished run: each problem is one sentence.

First the folder is compared with its manifest (:mod:`folder`). Then everything that can be derived is derived again: a check is a
function from a :class:`Case` to sentences. To add a check, write the function and put it into :data:`CHECKS`.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coldaisle_analysis.truth import ledger
from coldaisle_analysis.truth.readings import Account, settle
from coldaisle_contracts.errors import InputError, TrustError, UnforeseenError
from coldaisle_contracts.manifest import MANIFEST, Manifest, digest_of
from coldaisle_contracts.unforeseen import as_known
from coldaisle_testbed import signing
from coldaisle_testbed.verification import derived, facts, folder
from coldaisle_testbed.verification.case import Case
from coldaisle_testbed.verification.witnessed import labels_agree

__all__ = ["CHECKS", "Case", "Verified", "verify"]

Check = Callable[[Case], Iterable[str]]
"""Yields one sentence per problem."""
_SHA256 = re.compile(r"[0-9a-f]{64}")


def _adds_up(case: Case) -> Iterable[str]:
    """Yield a sentence for each reading, act or frame that is not accounted for."""
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
"""All checks, in order."""


@dataclass(frozen=True)
class Verified:
    """Result of a verification without problems.

    Attributes:
        manifest: its manifest.
        manifest_sha256: the sha256 of the manifest, hex.
        proof: agreement of its labels with the journals.
        signed_by: its signer; ``None`` where no list of signers was given.
    """

    manifest: Manifest
    manifest_sha256: str
    proof: ledger.Proof
    signed_by: str | None

    def facts(self) -> dict[str, Any]:
        """Return the result as the object of ``verify --json``."""
        return {
            "run": self.manifest.id,
            "counts": self.manifest.counts,
            "precision": self.proof.precision,
            "recall": self.proof.recall,
            "unexplained_frames": self.proof.unexplained,
            "semantic_digest": self.manifest.semantic_digest,
            "manifest_sha256": self.manifest_sha256,
            "signed_by": self.signed_by,
            "problems": [],
        }

    def sentences(self) -> Iterator[str]:
        """Yield the lines that ``verify`` prints."""
        counts, proof = self.manifest.counts, self.proof
        yield (
            f"{self.manifest.id}: {len(self.manifest.files)} files unchanged, {counts['packets']:,} packets, "
            f"{counts['readings']:,} readings, {counts['kernel_drops']} dropped, "
            f"{counts['packets_attack']:,} attack frames, every act found, every reading accounted for."
        )
        yield "captures and tables derived again from raw captures and journals: the same"
        yield "label of every frame found a second way, by a witness that shares no code with the labeller: the same"
        yield f"label precision {proof.precision:.4f}, recall {proof.recall:.4f}, {proof.unexplained} unexplained frames"
        yield f"semantic digest {self.manifest.semantic_digest}"
        yield f"sha256 of its manifest {self.manifest_sha256}"
        if self.signed_by is not None:
            yield f"signed by {self.signed_by}"


def verify(run: Path, digest: str | None = None, signers: Path | None = None) -> Verified:
    """Check a finished run.

    Args:
        run: its folder.
        digest: the expected sha256 of its manifest, hex.
        signers: file of allowed signers, see :mod:`signing`.

    Raises:
        InputError: if the folder holds no finished run, it cannot be read, or an argument is malformed.
        TrustError: with every problem.
    """
    if digest is not None and not _SHA256.fullmatch(digest.lower()):
        raise InputError(
            "--manifest-digest", "give the 64 hexadecimal digits that `coldaisle up` printed", digest
        )
    manifest, sha256 = Manifest.load(run), digest_of(run)
    if digest is not None and digest.lower() != sha256:
        raise TrustError([f"{MANIFEST} has the sha256 {sha256}, not that of --manifest-digest"])
    manifest.refuse_missing(run / MANIFEST)
    signed_by = None if signers is None else signing.signed_by(run, signers)
    if broken := folder.unsealed(run, manifest):
        raise TrustError(broken)
    case = Case(run, manifest, _settled(run))
    if broken := [sentence for check in CHECKS for sentence in _asked(check, case)]:
        raise TrustError(broken)
    return Verified(manifest, sha256, ledger.prove(run, case.account), signed_by)


def _settled(run: Path) -> Account:
    """Settle a run; an unforeseen error means that journals, plan and captures do not fit together: the run is not trustworthy."""
    try:
        return settle(run)
    except Exception as error:
        failure = as_known(error)
        if isinstance(failure, UnforeseenError):
            raise TrustError([f"journals, plan and captures do not fit together: {failure}"]) from error
        raise


def _asked(check: Check, case: Case) -> Iterable[str]:
    """Yield the problems that a check finds; a check that fails is a problem itself."""
    try:
        yield from check(case)
    except Exception as error:  # noqa: BLE001 - the folder is as its manifest says, so what it says cannot be
        yield str(as_known(error))
