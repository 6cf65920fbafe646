"""Conservation of the messages of companions: each PUBLISH on their connections is one line of a journal, and each line one PUBLISH.

The same holds for the commands that units get from a controller.

The capture stands at the broker. So of a message at QoS 0, whose delivery nothing promises, it is conserved that it reached the broker once,
and that what the broker delivered was received; QoS 1 and 2 promise the same, and their acknowledgements are what the journal waits for.
A PUBLISH that was sent again on a new connection (its flag DUP is set) is the same message.
"""

from collections.abc import Iterator

import pandas as pd

from coldaisle_analysis.decoding.mqtt import PUBLISH
from coldaisle_analysis.features.packets import BYTES
from coldaisle_analysis.truth.evidence import Evidence
from coldaisle_analysis.truth.readings import Account
from coldaisle_contracts.journal import payload_digest

_KEY = ["shard", "host", "topic", "qos", "digest", "size"]
"""What a line says of a message, and a PUBLISH shows."""


def check(account: Account) -> Iterator[str]:
    """Yield a sentence for companions and governed units whose messages in the capture are others than those in their journals."""
    evidence = account.evidence
    if not evidence.plan.companions:
        return
    captured = _captured(evidence)
    for upward, lines, action in (
        (True, evidence.published, "published"),
        (False, evidence.received, "received"),
    ):
        written = lines[lines["host"].isin([*evidence.plan.companions, *evidence.plan.loops])]
        yield from _compared(written, captured[captured["upward"] == upward], action)


def _compared(lines: pd.DataFrame, seen: pd.DataFrame, action: str) -> Iterator[str]:
    """Yield a sentence for each kind of message that is not as often in the capture as in the journals."""
    counts = (
        pd.concat([table.groupby(_KEY).size() for table in (lines, seen)], axis=1).fillna(0).astype("int64")
    )
    for (shard, host, topic, *_), noted, there in counts[counts.iloc[:, 0] != counts.iloc[:, 1]].itertuples(
        name=None
    ):
        yield f"{host} {action} a message on {topic} {noted} times in {shard} by its journal, but the capture has it {there} times"


def _captured(evidence: Evidence) -> pd.DataFrame:
    """Return every PUBLISH that is no reading on a connection of a companion or a governed unit.

    The columns are shard, host, topic, qos, digest, size and upward (to the broker).
    """
    messages, packets = evidence.trace.messages, evidence.trace.packets
    names = {companion.host.ip: companion.name for companion in evidence.plan.companions.values()}
    names |= {loop.unit.host.ip: name for name, loop in evidence.plan.loops.items()}
    chosen = messages[(messages["msgtype"] == PUBLISH) & ~messages["dup"].eq(1).fillna(value=False)]
    ends = packets.iloc[chosen["row"].to_numpy()]
    up = ends["ip_src"].astype("str").map(names).to_numpy(object)
    down = ends["ip_dst"].astype("str").map(names).to_numpy(object)
    table = pd.DataFrame(
        {
            "shard": ends["shard"].astype("str").to_numpy(),
            "host": pd.Series(up, dtype=object).fillna(pd.Series(down, dtype=object)),
            "upward": pd.notna(up),
            "topic": chosen["topic"].astype("object").fillna("").to_numpy(),
            "qos": chosen["qos"].to_numpy("int64"),
            "payload": chosen["payload"].astype("object").fillna("").to_numpy(),
        }
    ).dropna(subset="host")
    table = table[~(table["upward"] & table["host"].isin(list(evidence.plan.loops)))]
    payloads = [text.encode(BYTES) for text in table.pop("payload")]
    digests, sizes = [payload_digest(payload) for payload in payloads], [len(payload) for payload in payloads]
    return table.assign(
        digest=pd.Series(digests, table.index, dtype="str"), size=pd.Series(sizes, table.index, dtype="int64")
    )
