"""Which modules may import a third-party library or read the environment: few, and these."""

import re
from pathlib import Path

import pytest

HOUSE = Path(__file__).resolve().parents[2]
PACKAGES = ("contracts", "sensors", "injector", "capture", "analysis", "testbed")
DOORS = {
    "paho": {"coldaisle_sensors/link.py", "coldaisle_testbed/live/listener.py"},
    "docker": {"coldaisle_testbed/engines/containers.py"},
    "numba": {"coldaisle_analysis/compiled/compiler.py"},
    "joblib": {"coldaisle_analysis/workers.py"},
    "cyclonedx": {"coldaisle_testbed/bom.py", "coldaisle_contracts/publish.py"},
    "scapy": {f"coldaisle_injector/{name}.py" for name in ("crafted", "frames", "mqtt", "segments")},
}
READERS = {"coldaisle_analysis/compiled/jit.py"} | {
    f"coldaisle_{image}/__main__.py" for image in ("sensors", "injector", "capture", "testbed")
}
"""Who asks the environment for something; handing it on to a child process is not asking."""


def modules(pattern: str) -> set[str]:
    """Return the modules with a line that matches a pattern."""
    files = (path for folder in PACKAGES for path in (HOUSE / folder).glob("coldaisle_*/**/*.py"))
    return {
        str(path.relative_to(HOUSE).relative_to(path.relative_to(HOUSE).parts[0]))
        for path in files
        if re.search(pattern, path.read_text(encoding="utf-8"), re.MULTILINE)
    }


@pytest.mark.parametrize("library", DOORS)
def test_a_library_has_its_doors(library: str) -> None:
    """No other module imports it, and CONTRIBUTING does not say otherwise."""
    assert modules(rf"^\s*(?:import|from) {library}\b") == DOORS[library]
    said = (HOUSE / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for door in DOORS[library] if library != "scapy" else ():
        assert f"`{'/'.join(Path(door).with_suffix('').parts[-2:]).removeprefix('coldaisle_')}`" in said
    assert len(DOORS["scapy"]) == 4
    assert "the injector alone imports it, in four modules" in said


def test_only_entry_points_read_the_environment() -> None:
    """Whoever else needs something of it is given it."""
    assert modules(r"os\.environ\[|os\.environ\.get|getenv|not in os\.environ|\(os\.environ\)") == READERS
