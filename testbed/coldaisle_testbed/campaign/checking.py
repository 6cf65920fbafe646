"""The check of a week that was played: whether it is sealed, whole, and the week that was planned."""

from pathlib import Path

from coldaisle_contracts.campaign import Week
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.manifest import MANIFEST, Manifest, sha256_of
from coldaisle_testbed.campaign.names import digest_of_week


def problem_of(run: Path, week: Week) -> str:
    """Return what is wrong with the run of a week; empty where it is sealed, whole and of the week's plan."""
    try:
        manifest = Manifest.load(run)
    except InputError as error:
        return str(error)
    named = digest_of_week(manifest.plan_digest, manifest.versions.get("coldaisle", ""))
    if named != week.digest:
        left_out = ", ".join(manifest.left_out)
        why = f"this machine cannot play {left_out}" if left_out else "another version of coldaisle played it"
        return f"{week.name}: it is not the week that was planned, because {why}"
    broken = [name for name, digest in manifest.files.items() if not _is(run / name, digest)]
    return f"{run / broken[0]}: it is not what {MANIFEST} says" if broken else ""


def _is(path: Path, digest: str) -> bool:
    try:
        return sha256_of(path) == digest
    except OSError:
        return False
