"""docs/extending.md: its files are a package, which is installed, played under the pytest plugin, verified, and missed."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.extending_page import FILES, PAGE

pytestmark = pytest.mark.netns
PIP = ("-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--no-index")
PYTEST = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "coldaisle_testbed.pytest_plugin")


class Coarse:
    """The package of the page.

    Args:
        folder: an empty folder.

    Attributes:
        folder: the folder of its files.
        site: the folder that it is installed in.
        runs: a folder for runs.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.site, self.runs = folder / "coarse", folder / "site", folder / "runs"
        for name, text in {**FILES, "coarse/__init__.py": ""}.items():
            place = self.folder / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8")
        done = self.python(*PIP, "--target", str(self.site), str(self.folder))
        assert done.returncode == 0, done.stderr

    def python(self, *arguments: str, installed: bool = True) -> "subprocess.CompletedProcess[str]":
        """Run Python in the folder of the files, with the package or without it."""
        path = os.pathsep.join([*([str(self.site)] if installed else []), *filter(None, sys.path)])
        env = os.environ | {"PYTHONPATH": path, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        return subprocess.run([sys.executable, "-P", *arguments], cwd=self.folder, env=env,
                              capture_output=True, text=True, check=False)  # fmt: skip

    def coldaisle(self, *arguments: object, installed: bool = True) -> "subprocess.CompletedProcess[str]":
        """Run a command of coldaisle."""
        return self.python("-m", "coldaisle_testbed", *map(str, arguments), installed=installed)


@pytest.fixture(scope="module")
def coarse(tmp_path_factory: pytest.TempPathFactory) -> Coarse:
    """The package of the page, installed."""
    return Coarse(tmp_path_factory.mktemp("extending"))


@pytest.fixture(scope="module")
def tried(coarse: Coarse) -> Path:
    """The run that the page's own test of the package makes."""
    done = coarse.python(*PYTEST, "--basetemp", str(coarse.runs), "test_coarse.py")
    assert done.returncode == 0, done.stdout
    return coarse.runs / "obedience0" / "rounding"


def test_the_page_has_every_file(coarse: Coarse) -> None:
    """The tree on the page lists the files that it shows and an empty one; its scenario can be planned."""
    tree = PAGE.partition("```\ncoarse/\n")[2].partition("```")[0]
    assert set(re.findall(r"^  (\S+)", tree, re.MULTILINE)) == {*FILES, "coarse/__init__.py"}
    done = coarse.coldaisle("scenario", "show", "scenario.toml")
    assert (done.returncode, done.stderr) == (0, "")
    assert "5 episodes, 2 kinds" in done.stdout


def test_it_is_played_labelled_and_remembered(coarse: Coarse, tried: Path) -> None:
    """Every variant was played and is labelled as what it is; manifest and software name the package, and the run verifies again."""
    plan, manifest, machine = (
        json.loads((tried / name).read_text(encoding="utf-8"))
        for name in ("plan.json", "manifest.json", "software/machine.json")
    )
    assert sorted(episode["variant"] for episode in plan["episodes"]) == ["down", "nearest"]
    assert manifest["packages"] == {"rounding": "coarse==0.1.0"}
    assert manifest["versions"]["coarse"] == machine["python"]["coarse"] == "0.1.0"
    assert manifest["counts"]["readings_attack"] == 16
    assert "| rounding | on the path | T0832 | 2 |" in (tried / "DATASHEET.md").read_text(encoding="utf-8")
    done = coarse.coldaisle("verify", tried)
    assert done.returncode == 0, done.stderr
    assert "label precision 1.0000, recall 1.0000, 0 unexplained frames" in done.stdout


@pytest.mark.parametrize("command", ["verify", "reproduce", "analyse", "twin"])
def test_a_missing_package_is_named(coarse: Coarse, tried: Path, command: str) -> None:
    """Without the package, a command on its run ends with the sentence that the page shows, and exit code 2."""
    done = coarse.coldaisle(command, tried, installed=False)
    assert done.returncode == 2
    assert done.stderr.replace(str(tried), "runs/latest") in PAGE


def test_another_version_of_the_package_is_found(tmp_path: Path, tried: Path) -> None:
    """If the package makes another plan of the scenario, verification fails and names the version that made the run."""
    newer = Coarse(tmp_path)
    row = newer.site / "coarse" / "rounding.py"
    row.write_text(row.read_text(encoding="utf-8").replace("blatant=2.0", "blatant=3.25"), encoding="utf-8")
    done = newer.coldaisle("verify", tried)
    assert done.returncode == 3
    assert "this version makes another plan of its scenario: use coldaisle " in done.stderr
    assert ", coarse==0.1.0" in done.stderr


def test_containers_refuse_it(coarse: Coarse) -> None:
    """The engine compose refuses the kind in a sentence, before anything is built, and leaves nothing behind."""
    out = coarse.runs.parent / "refused"
    done = coarse.coldaisle("up", "scenario.toml", "--engine", "compose", "--out", out)
    assert done.returncode == 2
    assert "kind is 'rounding': the images do not hold coarse==0.1.0" in done.stderr
    assert not [path for path in out.parent.iterdir() if out.name in path.name]


def test_a_class_that_cannot_be_imported_is_refused_before_the_run(coarse: Coarse, tmp_path: Path) -> None:
    """A mistake in the module of the attack ends `up` with one sentence and exit code 2, and nothing is left."""
    broken = Coarse(tmp_path)
    (broken.site / "coarse" / "playing.py").write_text("import coldaisle_injector.nothing", encoding="utf-8")
    done = broken.coldaisle("up", "scenario.toml", "--engine", "netns", "--out", tmp_path / "refused")
    assert done.returncode == 2
    (sentence,) = (line for line in done.stderr.splitlines() if line.startswith("coldaisle: "))
    assert sentence.startswith(
        "coldaisle: coarse.playing, which plays rounding of coarse==0.1.0: it cannot be imported (ModuleNotFoundError: "
    )
    assert not [path for path in tmp_path.iterdir() if "refused" in path.name]
    assert coarse.site != broken.site
