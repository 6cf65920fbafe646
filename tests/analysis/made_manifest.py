"""A manifest for a run's folder made by hand."""

from datetime import UTC, datetime
from pathlib import Path

from coldaisle_contracts.manifest import Manifest, sha256_of


def made_manifest(run: Path) -> Manifest:
    """Return the manifest of the files in a folder, as of a run in which nothing was played."""
    files = sorted(path for path in run.rglob("*") if path.is_file())
    return Manifest(
        id=run.name,
        scenario="made",
        seed=1,
        engine="netns",
        shards=1,
        created=datetime(2026, 3, 3, tzinfo=UTC),
        plan_digest="0" * 64,
        semantic_digest="0" * 64,
        counts={"packets": 0, "packets_attack": 0, "readings": 0, "readings_attack": 0, "episodes": 0, "acts": 0,
                "kernel_drops": 0, "days": 1},
        seconds={},
        versions={"coldaisle": "0.1.0"},
        files={str(path.relative_to(run)): sha256_of(path) for path in files},
    )  # fmt: skip
