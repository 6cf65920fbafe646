"""Rules of the repository that no other tool checks."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from typer.main import get_command

from coldaisle_testbed.cli import app

HOUSE = Path(__file__).resolve().parents[2]
SKIPPED = (
    ".venv",
    ".git",
    "runs",
    ".mypy_cache",
    ".ruff_cache",
    ".pytest_cache",
    ".hypothesis",
    "__pycache__",
)
BINARY = {".pcap", ".png", ".parquet", ".gz"}
WAITING = {"subprocess.run", "subprocess.check_output", "subprocess.check_call", "subprocess.call"}
CONTRACTS = {
    contract["name"]
    for contract in tomllib.loads((HOUSE / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
        "importlinter"
    ]["contracts"]
}
PLANTED = {
    "analysis/coldaisle_analysis/decoding/views.py": (
        "coldaisle_analysis.report",
        "a stage of the analysis imports only stages below it",
    ),
    "injector/coldaisle_injector/frames.py": (
        "coldaisle_injector.catalogue",
        "an attack stands on the path or on a foothold, and these on frames",
    ),
    "testbed/coldaisle_testbed/progress.py": (
        "coldaisle_testbed.engines.netns",
        "a command makes a run, an engine plays it, and both stand on a stage",
    ),
    "testbed/coldaisle_testbed/campaign/claims.py": (
        "coldaisle_testbed.campaign.attempt",
        "a campaign asks a driver, and a driver makes attempts",
    ),
}
"""Wrong imports by the module that gets them: the imported module, and the contract that forbids it."""
FORBIDDEN = {
    "a registry's host": r"p[y]pi\.|p[y]thonhosted|deb\.d[e]bian|npmj[s]\.|docker\.i[o]/",
    "a machine's path": r"(?<![\w.])/(w[o]rk|r[o]ot|h[o]me)/",
}


def files() -> list[Path]:
    """Return the files of the repository, without generated ones and without a user's own."""
    paths = (path for path in HOUSE.rglob("*") if path.is_file() and path.suffix not in BINARY)
    notebooks = HOUSE / "analysis" / "notebooks"
    return [
        path
        for path in paths
        if notebooks not in path.parents and not set(path.relative_to(HOUSE).parts) & set(SKIPPED)
    ]


@pytest.mark.parametrize("name", FORBIDDEN)
def test_no_file_names(name: str) -> None:
    """No file names the machine it was made on or the address of a package registry."""
    guilty = [
        f"{path.relative_to(HOUSE)}: {match[0]}"
        for path in files()
        if (match := re.search(FORBIDDEN[name], path.read_text(encoding="utf-8", errors="replace")))
    ]
    assert guilty == []


def test_chronyd_never_sets_a_clock() -> None:
    """Every start of chronyd has the option -x; a call that only prints its version is no start."""
    starts: list[str] = []
    for path in files():
        if path.suffix in {".py", ".yml"} or path.name == "Dockerfile":
            starts += re.findall(r'\["?chronyd"?, *"?(-\w+)', path.read_text(encoding="utf-8"))
    assert len(starts) > 1
    assert set(starts) <= {"-x", "-v"}


def linted(folder: Path, **environment: str) -> tuple[int, set[str], set[str]]:
    """Return import-linter's exit code in a checkout, and the names of the contracts that are kept and that are broken."""
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [lint, "--no-cache"],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    kept, broken = (
        set(re.findall(rf"^(.+) {state}$", done.stdout, re.MULTILINE)) for state in ("KEPT", "BROKEN")
    )
    return done.returncode, kept, broken


def test_imports_point_down() -> None:
    """import-linter reports every contract of pyproject.toml as kept."""
    assert linted(HOUSE) == (0, CONTRACTS, set())


def test_an_import_against_the_order_breaks_its_contract(tmp_path: Path) -> None:
    """For a copy with one wrong import per import order, import-linter fails and names exactly these contracts."""
    shutil.copy(HOUSE / "pyproject.toml", tmp_path)
    for package in HOUSE.glob("[!.]*/coldaisle_*"):
        shutil.copytree(
            package, tmp_path / package.relative_to(HOUSE), ignore=shutil.ignore_patterns("__pycache__")
        )
    for module, (wrong, _) in PLANTED.items():
        with (tmp_path / module).open("a", encoding="utf-8") as file:
            file.write(f"\nimport {wrong}\n")
    folders = os.pathsep.join(sorted({str(package.parent) for package in tmp_path.glob("*/coldaisle_*")}))
    broken = {contract for _, contract in PLANTED.values()}
    assert linted(tmp_path, PYTHONPATH=folders) == (1, CONTRACTS - broken, broken)


def commands_of(text: str) -> set[str]:
    """Return the subcommands of coldaisle in the code of a Markdown text."""
    code = re.findall(r"```.*?```|`[^`\n]+`", text, re.DOTALL)
    called = (re.findall(r"(?:^|[\s`(;&|])(?:\./)?coldaisle ([a-z]+)\b", part, re.MULTILINE) for part in code)
    return set[str]().union(*called)


@pytest.mark.parametrize(
    "page", [HOUSE / "README.md", *sorted((HOUSE / "docs").glob("*.md"))], ids=lambda p: p.name
)
def test_documented_commands_exist(page: Path) -> None:
    """Each command on a page exists in the command line, or is the bootstrap's own `test`."""
    commands = {*getattr(get_command(app), "commands"), "test"}  # noqa: B009 - click's group, untyped here
    assert commands_of(page.read_text(encoding="utf-8")) <= commands


def test_readme_shows_the_two_commands() -> None:
    """The top of the README has both commands."""
    first = "\n".join((HOUSE / "README.md").read_text(encoding="utf-8").splitlines()[:25])
    assert {"up", "test"} <= commands_of(first)


def anchors(page: Path) -> set[str]:
    """Return the fragments that lead to the headings of a page, as GitHub makes them."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ +(.+?) *$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize(
    "page", [HOUSE / "README.md", *sorted((HOUSE / "docs").glob("*.md"))], ids=lambda p: p.name
)
def test_links_lead_somewhere(page: Path) -> None:
    """Each relative link of a page leads to an existing file, and one with a fragment to a heading of it."""
    missing = []
    for path, fragment in re.findall(r"\]\(([^)#\s]*)(?:#([^)\s]+))?\)", page.read_text(encoding="utf-8")):
        target = page.parent / path if path else page
        if "://" not in path and not (
            target.exists() and (not fragment or target.suffix != ".md" or fragment in anchors(target))
        ):
            missing.append(f"{path}#{fragment}")
    assert missing == []


def test_no_command_is_waited_for_without_end() -> None:
    """Every call of subprocess.run in the programs has a timeout."""
    texts = {path: path.read_text(encoding="utf-8") for path in HOUSE.glob("*/coldaisle_*/**/*.py")}
    callers = {path: text for path, text in texts.items() if "import subprocess" in text}
    assert len(callers) > 3
    endless = [
        f"{path.relative_to(HOUSE)}, line {call.lineno}"
        for path, text in callers.items()
        for call in ast.walk(ast.parse(text))
        if isinstance(call, ast.Call) and ast.unparse(call.func) in WAITING
        if not any(argument.arg == "timeout" for argument in call.keywords)
    ]
    assert endless == []
