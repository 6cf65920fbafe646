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
from coldaisle_analysis.truth.evidence import Evidence, name_of_frame
from coldaisle_analysis.truth.readings import Account
from coldaisle_contracts.addressing import BROKER
from coldaisle_contracts.journal import payload_digest

_KEY = ["shard", "host", "topic", "qos", "digest", "size"]
"""What a line says of a message, and a PUBLISH shows."""
_MESSAGE = ["shard", "topic", "digest"]
"""What makes a delivery and what the broker got the same message."""


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
    to_companions = captured["host"].isin(list(evidence.plan.companions))
    yield from _unfounded(evidence, captured[~captured["upward"] & to_companions])


def _unfounded(evidence: Evidence, delivered: pd.DataFrame) -> Iterator[str]:
    """Yield a sentence for deliveries to companions that follow from nothing that the broker got before.

    The nth delivery of a payload on a topic to a companion needs n messages with both that came before it, whoever sent them; one that
    the broker kept (retained) needs one. What the broker publishes itself, as the will of a client of the attacker, is named by its act.
    """
    broker_had = _at_broker(evidence)
    retained = delivered["retained"]
    times = (
        delivered[~retained].groupby(["host", *_MESSAGE]).cumcount().reindex(delivered.index, fill_value=0)
    )
    matched = delivered.assign(time=times).merge(broker_had, how="left", on=[*_MESSAGE, "time"])
    wrong = matched[~(matched["came"] < matched["row"])]
    for host, rows in wrong.groupby("host"):
        where = name_of_frame(evidence, int(rows["row"].iloc[0]))
        yield f"{host} got {len(rows)} messages that nobody had published before, the first is in {where}"


def _at_broker(evidence: Evidence) -> pd.DataFrame:
    """Return what the broker got: shard, topic and digest, which time it is that it got this, and the position of the frame that came."""
    messages, packets = evidence.trace.messages, evidence.trace.packets
    publishes = messages[messages["msgtype"] == PUBLISH]
    ends = packets.iloc[publishes["row"].to_numpy()]
    publishes = publishes[(ends["ip_dst"].astype("str") == BROKER.ip).to_numpy()]
    shards = packets["shard"].iloc[publishes["row"].to_numpy()].astype("str").to_numpy()
    sent = _content(publishes).assign(shard=shards, came=publishes["row"].to_numpy())
    wills = evidence.acts[evidence.acts["operation"] == "will-abuse"]
    unit = next(iter(evidence.plan.units.values()))
    payloads = [payload_digest(unit.encode(str(value))) for value in wills["after"]]
    forged = pd.DataFrame(
        {"topic": unit.topic(1), "digest": payloads, "shard": list(wills["shard"]), "came": -1}
    )
    table = pd.concat([forged, sent[["topic", "digest", "shard", "came"]]], ignore_index=True)
    return table.assign(time=table.groupby(_MESSAGE).cumcount())


def _content(publishes: pd.DataFrame) -> pd.DataFrame:
    """Return topic, digest and size of PUBLISH messages."""
    payloads = [text.encode(BYTES) for text in publishes["payload"].astype("object").fillna("")]
    return pd.DataFrame(
        {
            "topic": publishes["topic"].astype("object").fillna("").to_numpy(),
            "digest": pd.Series([payload_digest(payload) for payload in payloads], dtype="str"),
            "size": pd.Series([len(payload) for payload in payloads], dtype="int64"),
        }
    )


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

    The columns are shard, host, topic, qos, digest, size, upward (to the broker), retained and row (position of the frame).
    """
    messages, packets = evidence.trace.messages, evidence.trace.packets
    names = {companion.host.ip: companion.name for companion in evidence.plan.companions.values()}
    names |= {loop.unit.host.ip: name for name, loop in evidence.plan.loops.items()}
    chosen = messages[(messages["msgtype"] == PUBLISH) & ~messages["dup"].eq(1).fillna(value=False)]
    ends = packets.iloc[chosen["row"].to_numpy()]
    up = ends["ip_src"].astype("str").map(names).to_numpy(object)
    down = ends["ip_dst"].astype("str").map(names).to_numpy(object)
    table = _content(chosen).assign(
        shard=ends["shard"].astype("str").to_numpy(),
        host=pd.Series(up, dtype=object).fillna(pd.Series(down, dtype=object)),
        upward=pd.notna(up),
        qos=chosen["qos"].to_numpy("int64"),
        retained=chosen["retain"].eq(1).fillna(value=False).to_numpy(bool),
        row=chosen["row"].to_numpy("int64"),
    )
    table = table.dropna(subset="host")
    return table[~(table["upward"] & table["host"].isin(list(evidence.plan.loops)))]
