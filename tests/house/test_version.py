"""The version is the same in every place."""

import re
import tomllib

from tests.conftest import HOUSE
from tests.testbed.conftest import Call, coldaisle

from coldaisle_testbed import provenance

__all__ = ["coldaisle"]
VERSION = tomllib.loads((HOUSE / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]


def test_the_version_is_the_same_everywhere() -> None:
    """pyproject.toml, the citation, the newest section of the changelog and the manifest have the same version."""
    citation = (HOUSE / "CITATION.cff").read_text(encoding="utf-8")
    changelog = (HOUSE / "CHANGELOG.md").read_text(encoding="utf-8")
    cited = re.findall(r"^(?:version|date-released): (.+)$", citation, re.MULTILINE)
    sections = re.findall(r"^## \[(\d+\.\d+\.\d+)\] - (\d{4}-\d{2}-\d{2})$", changelog, re.MULTILINE)
    assert tuple(cited) == sections[0]
    assert VERSION == cited[0] == provenance.version() == provenance.versions()["coldaisle"]


def test_the_command_line_prints_it(coldaisle: Call) -> None:
    """`--version` prints the name and the version, and nothing else."""
    assert coldaisle("--version") == (0, f"coldaisle {VERSION}\n", "")
