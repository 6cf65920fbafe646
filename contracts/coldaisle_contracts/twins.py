"""The twins of a finished run: what was concluded from plays of its plan without an episode.

Twins lie beside the sealed run like its analyses: each comparison has a folder of its own, ``twins/001`` and so on, with a manifest.
"""

from datetime import datetime
from pathlib import Path

from coldaisle_contracts.manifest import Engine, Files, FolderManifest

TWINS = "twins"
"""Folder in a run for its comparisons with twins."""


class TwinManifest(FolderManifest):
    """The manifest of a comparison of a run with twins.

    Attributes:
        run: id of the run.
        run_manifest: sha256 of that run's manifest, which identifies the data that was compared.
        created: time of the comparison, wall time, UTC.
        engine: the engine that played the twins.
        episodes: ids of the episodes that were compared, each with a play from which it was left out.
        plays: number of plays, those of the yardstick included.
        seconds: wall time that each stage took, in s.
        versions: version of each tool and library used.
        commit: commit of the coldaisle that made it, as in the run's manifest.
        files: sha256 of every file beside it.
    """

    remedy = "every comparison with twins has one: remove this one, and call `coldaisle twin` again"

    run: str
    run_manifest: str
    created: datetime
    engine: Engine
    episodes: tuple[str, ...]
    plays: int
    seconds: dict[str, float]
    versions: dict[str, str]
    commit: str
    files: Files


def twins_of(run: Path) -> list[Path]:
    """Return the folders of a run's comparisons with twins, oldest first, without the hidden ones that are being made."""
    return sorted(path for path in (run / TWINS).glob("[!.]*") if path.is_dir() and not path.is_symlink())
