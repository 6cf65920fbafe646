"""A play, and its observation: by tshark, by the witness, and of its processes by the kernel."""

from pathlib import Path

from coldaisle_analysis import witness
from coldaisle_analysis.truth.readings import Account, settle
from coldaisle_contracts.plan import Plan
from coldaisle_testbed import shard_folders, sharding
from coldaisle_testbed.obedience.observed import fields

_ORDINARY = (
    "Connection establish",
    "Connection finish",
    "This frame initiates the connection closing",
    "This frame undergoes the connection closing",
)
"""Expert messages about the begin and the end of a connection, which are no errors."""


def play(plan: Plan, stage: Path, shards: int = 1) -> Account:
    """Play a plan on the netns engine, and return its account."""
    shard_folders.prepare(stage, plan)
    sharding.play(plan, stage, shards, lambda _: None)
    return settle(stage)


def labels_of(account: Account) -> list[witness.Verdict]:
    """Return the label of every frame."""
    columns = (account.join.table[name].astype("object").tolist() for name in ("label", "benign", "episode"))
    return [
        witness.Verdict(int(label), int(benign), episode if label or benign else "")
        for label, benign, episode in zip(*columns, strict=True)
    ]


def disagreements(account: Account) -> list[str]:
    """Return a sentence for each kind of difference between the labels and the witness."""
    return witness.differences(witness.testify(account.evidence.run), labels_of(account))


def marked(account: Account) -> set[str]:
    """Return the episodes that have labelled frames."""
    return {verdict.episode for verdict in labels_of(account)} - {""}


def remarks(pcap: Path) -> list[str]:
    """Return tshark's expert messages on a capture, without those on the begin and end of connections."""
    rows = fields(pcap, "_ws.expert", "frame.number", "_ws.expert.message")
    return [
        f"{frame}: {message}"
        for frame, messages in rows
        for message in messages.split(",")
        if not message.startswith(_ORDINARY)
    ]


def processes() -> dict[int, str]:
    """Return the network namespace of every process that can be read."""
    spaces = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            spaces[int(folder.name)] = (folder / "ns" / "net").readlink().name
        except OSError:
            continue
    return spaces


def descendants(pid: int) -> dict[int, str]:
    """Return the processes below a process, with their names."""
    parents, names = dict[int, int](), dict[int, str]()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            name, _, rest = (folder / "stat").read_text().partition("(")[2].rpartition(")")
        except OSError:
            continue
        parents[int(folder.name)], names[int(folder.name)] = int(rest.split()[1]), name
    found, edge = dict[int, str](), {pid}
    while edge := {child for child, parent in parents.items() if parent in edge}:
        found |= {child: names[child] for child in edge}
    return found


def holder(pids: dict[int, str], journal: str) -> int | None:
    """Return the process among ``pids`` that writes a journal of this name."""
    for pid in pids:
        try:
            opened = [str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()]
        except OSError:
            continue
        if any(name.endswith(f"/journal/{journal}.jsonl") for name in opened):
            return pid
    return None
