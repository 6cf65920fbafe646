"""Entry point of the capture: it listens, joins the federation, waits for the end, retimes and seals."""

import os
import select
from pathlib import Path

from coldaisle_capture.seal import seal
from coldaisle_capture.tcpdump import Tcpdump, places
from coldaisle_contracts import cable, unforeseen
from coldaisle_contracts.addressing import BROKER
from coldaisle_contracts.clock import END, Federate
from coldaisle_contracts.journal import Journal
from coldaisle_contracts.plan import Plan
from coldaisle_contracts.shard import Shard

READY = "capturing"
"""File in the federation's folder that exists while packets are captured."""


def main() -> None:
    """Capture one shard."""
    run, folder = Path(os.environ["COLDAISLE_RUN"]), Path(os.environ["COLDAISLE_FEDERATION"])
    plan = Plan.load(run / "plan.json")
    shard = Shard.parse(os.environ.get("COLDAISLE_SHARD", ""), plan.scenario.days)
    if switch := os.environ.get("COLDAISLE_SWITCH"):
        cable.plug_in(Path(switch), BROKER)
        cable.let_go()
    first = run / "capture" / "raw" / f"{shard}.tcpdump"
    dump = Tcpdump(cable.INTERFACE, first, places(plan, shard))
    (folder / READY).touch()
    federate = Federate(folder, "capture")
    federate.request(END)
    while not select.select([federate.socket], [], [], 0.5)[0]:
        dump.check()
    federate.granted()
    tally = dump.stop()
    journal = Journal(run / "journal" / "capture.jsonl", str(shard))
    seal(run, str(shard), dump.files(), tally, journal)
    journal.close()
    federate.leave()


if __name__ == "__main__":
    unforeseen.run(main)
