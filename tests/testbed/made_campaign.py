"""A campaign of tiny weeks, and a stand-in for the command that plays one: it writes a sealed run, or fails as it is told to."""

import json
import sys
from hashlib import sha256
from pathlib import Path

from tests.conftest import HOUSE

from coldaisle_contracts.campaign import CampaignFolder
from coldaisle_contracts.manifest import COUNTED
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import load_scenario
from coldaisle_testbed import provenance

FILE = """
name = "tiny"
scenarios = ["{scenario}"]
seeds = "1-{weeks}"
{more}
[roles]
train = "1-{last}"
validate = "{validate}"
test = "{weeks}"
"""
STAND_IN = """
import json, os, sys, time
from pathlib import Path
house, words = Path(sys.argv[1]), sys.argv[2:]
out = Path(words[words.index("--out") + 1])
digest = out.name
calls = house / "calls"
calls.mkdir(exist_ok=True)
number = len(list(calls.glob(f"{digest}.*")))
(calls / f"{digest}.{number}.{os.getpid()}").write_text(" ".join(words))
orders = house / f"{digest}.orders"
order = (orders.read_text().splitlines() if orders.exists() else [])[number:number + 1]
if order and order[0].startswith("exit"):
    _, code, sentence = order[0].split(" ", 2)
    print("  0.1 s  a line of progress", file=sys.stderr)
    print(f"coldaisle: {sentence}", file=sys.stderr)
    sys.exit(int(code))
if order and order[0] == "die":
    os.kill(os.getpid(), 9)
if order and order[0] == "hang":
    time.sleep(120)
time.sleep(0.1)
out.mkdir()
(out / "data.txt").write_text("played")
manifest = json.loads((house / f"{digest}.json").read_text())
if order and order[0] == "tamper":
    (out / "data.txt").write_text("changed")
(out / "manifest.json").write_text(json.dumps(manifest))
"""


def file(
    folder: Path, weeks: int = 4, more: str = "", scenario: Path = HOUSE / "scenarios" / "hour.toml"
) -> Path:
    """Write the file of a campaign, and return it; its last two weeks are for validation and test."""
    path = folder / "tiny.toml"
    text = FILE.format(scenario=scenario, weeks=weeks, last=weeks - 2, validate=weeks - 1, more=more)
    path.write_text(text)
    return path


def stand_in(house: Path, folder: CampaignFolder) -> tuple[str, ...]:
    """Make the stand-in for a campaign, and return the beginning of its command line."""
    house.mkdir(exist_ok=True)
    program = house / "stand_in.py"
    program.write_text(STAND_IN)
    for week in folder.weeks:
        words = list(week.command)
        plan = build_plan(load_scenario(folder.path / words[2], week.seed), "hour")
        (house / f"{week.digest}.json").write_text(
            json.dumps(_manifest(week.digest, plan.digest(), week.seed))
        )
    return (sys.executable, "-S", str(program), str(house))


def order(house: Path, digest: str, *orders: str) -> None:
    """Tell the stand-in what to do in the attempts at a week: ``play``, ``exit CODE SENTENCE``, ``die``, ``hang`` or ``tamper``."""
    (house / f"{digest}.orders").write_text("\n".join(orders))


def calls(house: Path) -> list[str]:
    """Return the digests of the weeks that were attempted, each as often as it was."""
    return sorted(path.name.partition(".")[0] for path in (house / "calls").glob("*"))


def _manifest(digest: str, plan_digest: str, seed: int) -> dict[str, object]:
    return {
        "id": digest,
        "scenario": "hour",
        "seed": seed,
        "engine": "netns",
        "shards": 1,
        "created": "2026-03-02T00:00:00Z",
        "plan_digest": plan_digest,
        "semantic_digest": "",
        "counts": dict.fromkeys(COUNTED, 0),
        "seconds": {},
        "versions": {"coldaisle": provenance.version()},
        "files": {"data.txt": sha256(b"played").hexdigest()},
    }
