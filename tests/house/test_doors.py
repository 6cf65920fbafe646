"""The list of modules that may import a third-party library, or read the environment, the clock or random numbers."""

import ast
import re
import sys
from functools import cache

import pytest
from tests.conftest import HOUSE

DOORS = {
    "cbor2": {"analysis/series/payloads", "sensors/devices/vibration_sensor"},
    "cryptography": {"testbed/certificates"},
    "cyclonedx": {"contracts/publish", "testbed/bom"},
    "dask": {"testbed/campaign/cluster/connecting"},
    "distributed": {f"testbed/campaign/cluster/{name}" for name in ("connecting", "dask_pool", "mapping")},
    "dns": {"sensors/workstation/names"},
    "docker": {"testbed/engines/containers"},
    "jinja2": {"analysis/report/page", "desk/pages"},
    "joblib": {"analysis/workers"},
    "llvmlite": {"analysis/compiled/machine"},
    "ntplib": {"sensors/timesync"},
    "numba": {"analysis/compiled/compiler"},
    "packageurl": {"testbed/bom"},
    "packaging": {"testbed/provenance"},
    "paho": {"sensors/devices/session", "sensors/paho_client", "testbed/live/listener"},
    "google": {"contracts/sparkplug"},
    "pytest": {"testbed/pytest_plugin"},
    "pyroute2": {"sensors/workstation/lease", "testbed/namespaces", "testbed/switch"},
    "river": {"analysis/models/streaming"},
    "scapy": {"injector/crafted", "injector/frames", "injector/segments"},
    "skops": {"analysis/models/files"},
    "starlette": {
        f"desk/{name}"
        for name in (
            "access",
            "acting",
            "app",
            "desks",
            "faults",
            "files",
            "overview",
            "pages",
            "panels/sensors",
            "stream",
        )
    },
    "typer": {"testbed/campaign_cli", "testbed/site_cli", "testbed/cli", "testbed/commands"},
    "uvicorn": {"desk/serve"},
}
"""Libraries with few doors: the modules that import them."""
EVERYWHERE = {
    "analysis": {
        "matplotlib",
        "numpy",
        "pandas",
        "pyarrow",
        "rich",
        "scipy",
        "sklearn",
        "statsmodels",
        "threadpoolctl",
        "typing_extensions",
    },
    "desk": {"numpy", "pyarrow"},
    "sensors": {"numpy"},
    "testbed": {"numpy", "pandas", "rich", "threadpoolctl"},
}
"""Libraries that any module of a package may import; pydantic may be imported anywhere."""
READERS = {"analysis/compiled/jit", "testbed/cli"} | {
    f"{image}/__main__" for image in ("sensors", "injector", "capture", "testbed")
}
"""Modules that read variables of the environment; passing it to a child process is not reading."""
CLOCKS = {"contracts/clock", "sensors/timesync"}
"""Modules outside the testbed that read the clock."""
SOURCES = {
    str(path.relative_to(HOUSE).with_suffix("")).replace(
        f"/{path.relative_to(HOUSE).parts[1]}", "", 1
    ): path.read_text(encoding="utf-8")
    for path in HOUSE.glob("[!.]*/coldaisle_*/**/*.py")
}
"""The text of each module by package and name, such as ``testbed/live/loop``."""
CONTRIBUTING = (HOUSE / "CONTRIBUTING.md").read_text(encoding="utf-8")


@cache
def _imported(text: str) -> set[str]:
    """Return the third-party libraries that a module imports."""
    names = set[str]()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return {name.partition(".")[0] for name in names} - set(sys.stdlib_module_names)


def modules(pattern: str) -> set[str]:
    """Return the modules with a line that matches a pattern."""
    return {name for name, text in SOURCES.items() if re.search(pattern, text, re.MULTILINE)}


@pytest.mark.parametrize("library", DOORS)
def test_a_library_has_its_doors(library: str) -> None:
    """Only the listed modules import the library."""
    assert {name for name, text in SOURCES.items() if library in _imported(text)} == DOORS[library]


def test_every_library_has_its_place() -> None:
    """A library without listed modules is imported only in packages that may use it."""
    for name, text in SOURCES.items():
        free = {library for library in _imported(text) - set(DOORS) if not library.startswith("coldaisle_")}
        assert free <= EVERYWHERE.get(name.partition("/")[0], set()) | {"pydantic"}, name


def test_only_entry_points_read_the_environment() -> None:
    """Only entry points read the environment; other modules get their settings as arguments."""
    asks = r"os\.environ\[|os\.environ\.get|getenv|not in os\.environ|\(os\.environ\)|envvar="
    assert modules(asks) == READERS


def test_clock_and_seed_are_passed_in() -> None:
    """Outside of the testbed only two modules read the clock, and every random generator has a seed."""
    clocks = modules(r"\btime\.time(?:_ns)?\(\)$|[^`]time\.time(?:_ns)?\(\)|\.now\(|utcnow|clock_gettime")
    assert {name for name in clocks if not name.startswith("testbed/")} == CLOCKS
    unseeded = r"\bdefault_rng\(\)|\bRandom\(\)|(?<![\w.])random\.(?:choice|gauss|rand\w+|sample|seed|shuffle|uniform)\("
    assert modules(unseeded) == set()


def test_contributing_names_a_test_for_each_rule() -> None:
    """Each rule in "How the code reads" names the file that checks it, and that file exists."""
    section = CONTRIBUTING.partition("## How the code reads")[2].partition("\n## ")[0]
    rules = re.findall(r"^\* (.+?)(?=^\* |\Z)", section, re.MULTILINE | re.DOTALL)
    assert len(rules) > 5
    for rule in rules:
        named = re.findall(r"`(tests/[\w/.]+|pyproject\.toml)`", rule)
        assert named, rule
        assert all((HOUSE / name).exists() for name in named), rule
