"""A kind of anomaly is added as CONTRIBUTING says: a row, a module, its section, its episodes and the numbers, and nothing else."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from coldaisle_contracts.kinds import ATTACKS
from coldaisle_contracts.scenario import load_scenario

pytestmark = pytest.mark.netns
HOUSE = Path(__file__).resolve().parents[2]
PACKAGES = ("contracts", "sensors", "injector", "capture", "analysis", "testbed")
ROW = """    Kind(
        "rounding", "on the path", "T0832",
        "readings rounded to a coarse step",
        f"mqtt.msgtype == 3 && {_FROM}", (*_PATH, Role.MODIFIED), ("round",),
        (Parameter("step", "°C", 0.1, 10, 0.3, 2.0, "what values are rounded to"),),
        edit="modify",
    ),
"""
MODULE = '''"""Rounding: a reading's value is rounded to a coarse step on its way."""

from coldaisle_contracts.topics import encode_value
from coldaisle_injector.catalogue import OnPath
from coldaisle_injector.edits import Deliver, Edit, Pass, Reading


class Attack(OnPath):
    """Delivers the nearest multiple of the step."""

    def on_publish(self, reading: Reading) -> Edit:
        """Round the readings the plan names."""
        act = self.acts.get((reading.slot, reading.sensor))
        if act is None:
            return Pass()
        return Deliver(encode_value(round(float(reading.value) / act.amount) * act.amount).decode("ascii"))
'''
PRINT = """
from tests.contracts.test_docs_attacks import DOCS, FAMILIES, overview, printed, section
text = DOCS.read_text("utf-8")
for family in FAMILIES:
    part = section(family).strip()
    text = text.replace(printed(part.partition(chr(10))[0]), part)
head = overview().partition(chr(10))[0]
at = text.index(head)
DOCS.write_text(text[:at] + overview() + text[text.index(chr(10) * 2, at):], "utf-8")
"""
MEND = """
import re
from tests.house.test_numbers import COUNTS, HOUSE
for page, pattern, counted in COUNTS:
    text = (HOUSE / page).read_text("utf-8")
    for match in reversed([*re.finditer(pattern, text)]):
        for place, number in reversed([*enumerate(counted, 1)]):
            if match[place].isdigit():
                text = text[:match.start(place)] + str(number) + text[match.end(place):]
    (HOUSE / page).write_text(text, "utf-8")
"""
"""The step that a person does by hand after a failure of tests/house/test_numbers.py."""
PYTEST = ("-m", "pytest", "-q", "-p", "no:cacheprovider")
HELD = "rounding or docs_attacks or test_numbers or week_is or hold_everything or adds_up or unexplained"
"""The tests of the new kind alone, and those of all kinds, the pages and the default week."""


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of every file that is written by hand."""
    copy = tmp_path / "house"
    for name in (*PACKAGES, "broker", "ntp", "tests", "scenarios", "docs"):
        shutil.copytree(HOUSE / name, copy / name, ignore=shutil.ignore_patterns("*.egg-info"))
    for name in ("README.md", "CONTRIBUTING.md", "pyproject.toml"):
        shutil.copy(HOUSE / name, copy / name)
    return copy


def python(house: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python with the packages of the copy."""
    path = os.pathsep.join(str(house / name) for name in (*PACKAGES, "."))
    return subprocess.run([sys.executable, *arguments], cwd=house, env=os.environ | {"PYTHONPATH": path},
                          capture_output=True, text=True, check=False)  # fmt: skip


def change(file: Path, *edits: tuple[str, str]) -> None:
    """Replace the first match of each pattern in a file; each pattern has to match."""
    text = file.read_text(encoding="utf-8")
    for pattern, new in edits:
        text, replaced = re.subn(pattern, new, text, count=1)
        assert replaced, pattern
    file.write_text(text, encoding="utf-8")


def test_a_new_kind_takes_what_contributing_says(house: Path) -> None:
    """After the five steps a made-up kind is planned, played, accounted for and documented, and it passes the tests of every kind."""
    removal = '    Kind\\(\n        "removal"'
    change(
        house / "contracts/coldaisle_contracts/kinds.py",
        (removal, ROW.replace("\\", r"\\") + removal.replace("\\", "")),
    )
    (house / "injector/coldaisle_injector/attacks/rounding.py").write_text(MODULE, encoding="utf-8")
    printed = python(house, "-c", PRINT)
    assert printed.returncode == 0, printed.stderr
    for name, weight in (("week", 1), ("intrusions", 3)):
        count = load_scenario(HOUSE / "scenarios" / f"{name}.toml").drawn.count
        change(
            house / "scenarios" / f"{name}.toml",
            (rf"(?m)^count = {count}\b", f"count = {count + weight}"),
            (r"(?m)^removal = ", f"rounding = {weight}\nremoval = "),
        )
    result = python(house, *PYTEST, "tests/house/test_numbers.py")
    assert f"{len(ATTACKS)}] == [{len(ATTACKS) + 1}" in result.stdout
    mended = python(house, "-c", MEND)
    assert mended.returncode == 0, mended.stderr
    alone = (
        r"SHIPPED\.values\(\)",
        '[SHIPPED["rounding"]]',
    )  # other tests play the other kinds
    change(house / "tests/netns/catalogue.py", alone)
    done = python(house, *PYTEST, "-k", HELD, "tests/contracts", "tests/injector/test_attacks.py",
                  "tests/house/test_numbers.py", "tests/netns/test_obedience.py", "tests/netns/test_catalogue.py")  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:]
