"""The taxonomy: one row for each kind of episode that coldaisle ships; other packages add theirs.

The module is longer than most because it is one table, from which scenarios, plans, documentation and checks follow.
Techniques are those of MITRE ATT&CK for ICS (attack.mitre.org, matrix v17).
"""

from collections.abc import Iterable
from difflib import get_close_matches
from functools import partial
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

from coldaisle_contracts.addressing import INJECTOR
from coldaisle_contracts.dialects import PLAINTEXT
from coldaisle_contracts.extensions import Table
from coldaisle_contracts.kind_rules import NAME, faults
from coldaisle_contracts.taxonomy import Demand, Kind, Parameter, Role

_PATH = (Role.INJECTED, Role.RELAYED, Role.CONSEQUENCE)
_CLIENT = (Role.INJECTED, Role.CONSEQUENCE)
_FROM = f"eth.src == {INJECTOR.mac}"
"""Filter for frames that the attacker's host sent."""
_CLEAR = Demand(
    "tls", (False,), "an attacker on the path of TLS can neither read nor change what is encrypted"
)
_PLAINTEXT = Demand(PLAINTEXT, (True,), "the attacker's clients speak plaintext")
_COUNT = "number of them"
_size = partial(Parameter, "size", signed=True)
_count = partial(Parameter, "count", whole=True)
_rate = partial(Parameter, "rate", "1/s", meaning="number per second")


def _field(name: str, most: int, blatant: int, least: int = 0, faint: int | None = None) -> Parameter:
    """Return the parameter of a header field; the variant is the name of the field."""
    low = least if faint is None else faint
    return Parameter(
        "value", "1", least, most, low, blatant, "new value of the field", whole=True, variants=(name,)
    )


_KINDS = (
    # -- on the path --------------------------------------------------------------------------------------------------
    Kind(
        "interception", "on the path", "T0830",
        "ARP claims of the attacker; frames arrive from its MAC address, unaltered",
        f"mqtt.msgtype == 3 && {_FROM}", _PATH, ("read",), pace="none",
    ),
    Kind(
        "modification", "on the path", "T0832",
        "readings whose value is not the sensor's",
        f"mqtt.msgtype == 3 && {_FROM}", (*_PATH, Role.MODIFIED),
        ("shift", "freeze", "scale", "drift", "noise", "replay"),
        (
            _size("°C", -50, 50, 0.5, 4.0, "added to the value, at the end of the episode for drift", variants=("shift", "drift")),
            Parameter("factor", "1", 0.01, 10, 0.04, 0.25, "factor by which the value is multiplied", signed=True, around=1.0, variants=("scale",)),
            Parameter("spread", "°C", 0.01, 20, 0.3, 3.0, "standard deviation of the noise added", variants=("noise",)),
            Parameter("lag", "readings", 1, 6, 1, 6, "age of the value that is delivered", whole=True, variants=("replay",)),
        ),
        edit="modify", stealth=True,
        demands=(_CLEAR,),
    ),
    Kind(
        "removal", "on the path", "T0804",
        "readings that never come, on a connection that stays up",
        f"arp.duplicate-address-detected || (tcp.len == 0 && {_FROM})", (*_PATH, Role.REMOVED), ("swallow",),
        edit="swallow",
        demands=(_CLEAR,),
    ),
    Kind(
        "duplication", "on the path", "T0856",
        "readings delivered again",
        f"mqtt.msgtype == 3 && {_FROM}", (*_PATH, Role.DUPLICATE), ("once", "burst"),
        (
            Parameter("count", "copies", 1, 30, 2, 5, "copies of each reading", whole=True, variants=("burst",)),
            Parameter("gap_s", "s", 0.008, 300, 0.008, 0.03, "time between two copies; 8 to 30 ms, each drawn by seed, when left out",
                      variants=("burst",), drawn=False),
        ),
        pace="copies", frames=70,
        demands=(_CLEAR,),
    ),
    Kind(
        "delay", "on the path", "T0815",
        "readings that come late, perhaps after the next one was due",
        f"mqtt.msgtype == 3 && {_FROM}", (*_PATH, Role.DELAYED), ("hold",),
        (Parameter("delay_s", "s", 0.0002, 3600, 20, 560, "time for which each reading is held back; at most two intervals less 5 s", overt=True),),
        pace="holds", edit="hold", stealth=True, tail=3,
        demands=(_CLEAR,),
    ),
    Kind(
        "reordering", "on the path", "T0832",
        "a sensor's readings in another order than they were taken",
        f"mqtt.msgtype == 3 && {_FROM}", (*_PATH, Role.DELAYED), ("swap",),
        pace="holds", edit="hold", tail=2,
        demands=(_CLEAR,),
    ),
    Kind(
        "tampering", "on the path", "T0830",
        "one header field of the frames that carry readings is set to another value",
        f"mqtt.msgtype == 3 && {_FROM}", (*_PATH, Role.MODIFIED),
        ("eth.dst", "ip.ttl", "ip.dscp", "ip.ecn", "ip.id", "ip.df",
         "tcp.window", "tcp.push", "tcp.urgent", "tcp.checksum", "tcp.seq", "tcp.ack",
         "mqtt.topic", "mqtt.qos", "mqtt.retain", "mqtt.dup", "mqtt.msgid"),
        (
            _field("ip.ttl", 255, 255, least=1, faint=63), _field("ip.dscp", 63, 63, faint=1), _field("ip.id", 65535, 65535, faint=1),
            _field("ip.ecn", 3, 3, least=1), _field("ip.df", 0, 0), _field("tcp.push", 0, 0),
            _field("tcp.window", 65535, 64, least=1, faint=500),
            _field("tcp.urgent", 65535, 65535, least=1, faint=1), _field("tcp.checksum", 65535, 65535, faint=1),
            Parameter("value", "bytes", 1e8, 1e9, 1e8, 1e9, "distance by which the sequence number is moved ahead, beyond any window", whole=True, variants=("tcp.seq",)),
            Parameter("value", "bytes", 1e8, 1e9, 1e8, 1e9, "distance by which the acknowledgement number is moved ahead, beyond all that was sent", whole=True, variants=("tcp.ack",)),
            Parameter("value", "1", 1, 4094, 34, 50, "number in the network of the host whose MAC address the frame is sent to instead",
                      whole=True, variants=("eth.dst",), drawn=False),
            Parameter("value", "characters", 1, 40, 1, 20, "number of characters added to the topic", whole=True, variants=("mqtt.topic",)),
            _field("mqtt.qos", 0, 0), _field("mqtt.retain", 1, 1, least=1), _field("mqtt.dup", 1, 1, least=1),
            _field("mqtt.msgid", 65535, 65535, least=30_000, faint=30_000),
        ),
        edit="tamper", cost_s=0.4,
        demands=(
            Demand("tls", (False,), "what is encrypted cannot be changed, and TLS takes no other byte for one that was sent",
                   ("mqtt.topic", "mqtt.qos", "mqtt.retain", "mqtt.dup", "mqtt.msgid", "tcp.urgent", "tcp.checksum", "tcp.seq", "tcp.ack")),
            Demand("qos", (1, 2), "a PUBLISH of QoS 0 has no message id, is never sent again and cannot be lowered",
                   ("mqtt.qos", "mqtt.dup", "mqtt.msgid")),
            Demand("retain", (False,), "its readings are retained as they are", ("mqtt.retain",)),
            Demand("topic_alias", (False,), "most of its readings name no topic", ("mqtt.topic", "mqtt.retain")),
        ),
    ),
    Kind(
        "loss", "on the path", "T0815",
        "segments that never arrive and are sent again by the unit's kernel",
        f"tcp.len > 0 && {_FROM}", _PATH, ("segment",),
        (_count("transmissions", 1, 4, 1, 2, "number of times in a row that the segment with the reading is lost"),),
        edit="lose", cost_s=0.7,
    ),
    Kind(
        "doubling", "on the path", "T0830",
        "segments that arrive twice; the second is discarded by the broker's kernel",
        f"tcp.analysis.retransmission && {_FROM}", (*_PATH, Role.DUPLICATE), ("segment",),
        edit="double",
    ),
    Kind(
        "reset", "on the path", "T0814",
        "connections that break between two readings and are opened again",
        f"tcp.flags.reset == 1 && {_FROM}", _PATH, ("both",), pace="slots", cost_s=0.5, tail=2, expels=True,
    ),
    # -- rogue clients ------------------------------------------------------------------------------------------------
    Kind(
        "false-data", "rogue client", "T0856",
        "readings of sensors that do not exist",
        f"mqtt.msgtype == 3 && {_FROM}", _CLIENT, ("publish",),
        (_size("°C", -50, 50, 0.5, 8.0, "distance of the forged value from the median of the sensor it copies", overt=True),),
        pace="slots", frames=24, cost_s=0.05, stealth=True,
        demands=(_PLAINTEXT,),
    ),
    Kind(
        "takeover", "rogue client", "T0856",
        "a second client with a sensor's client id; the broker throws the sensor out until it comes back",
        f"mqtt.msgtype == 1 && {_FROM}", _CLIENT, ("steal",),
        (_size("°C", -50, 50, 0.5, 8.0, "distance of the value published in the sensor's name from its median", overt=True),),
        pace="slots", frames=24, stealth=True, tail=2, expels=True,
        demands=(_PLAINTEXT,),
    ),
    Kind(
        "eavesdropping", "rogue client", "T0801",
        "a subscriber to everything",
        f"mqtt.msgtype == 8 && {_FROM}", _CLIENT, ("wildcard",),
        target="broker", pace="ends", frames=400,
        demands=(_PLAINTEXT,),
    ),
    Kind(
        "retained-poisoning", "rogue client", "T0832",
        "a retained message that every later subscriber is given first; cleared at the end",
        f"mqtt.retain == 1 && {_FROM}", _CLIENT, ("retain",),
        (_size("°C", -50, 50, 2.0, 20.0, "distance of the retained value from 20 °C"),),
        target="broker", pace="ends", frames=30, cost_s=0.3,
        demands=(_PLAINTEXT, Demand("retain", (False,), "its next reading would replace what is retained")),
    ),
    Kind(
        "will-abuse", "rogue client", "T0856",
        "a client that dies at once, so that the broker publishes its will",
        f"mqtt.conflag.willflag == 1 && {_FROM}", _CLIENT, ("die",),
        (_size("°C", -50, 50, 2.0, 20.0, "distance of the value in the will from 20 °C"),),
        target="broker", pace="slots", frames=40, cost_s=0.4,
        demands=(_PLAINTEXT,),
    ),
    Kind(
        "brute-force", "rogue client", "T0812",
        "logins one after the other with guessed names and passwords",
        f"mqtt.conflag.passwd == 1 && {_FROM}", _CLIENT, ("guess",),
        (_count("logins", 1, 500, 8, 60, _COUNT), _rate(1, 200, 20, 100)),
        target="broker", pace="once", frames_each=10, cost_s=0.2,
        demands=(_PLAINTEXT,),
    ),
    Kind(
        "topic-enumeration", "rogue client", "T0861",
        "subscriptions to guessed topics one after the other",
        f"mqtt.msgtype == 8 && {_FROM}", _CLIENT, ("guess",),
        (_count("topics", 1, 500, 10, 60, _COUNT), _rate(1, 200, 20, 100)),
        target="broker", pace="once", frames=60, frames_each=8, cost_s=0.2,
        demands=(_PLAINTEXT,),
    ),
    # -- denial of service --------------------------------------------------------------------------------------------
    Kind(
        "publish-flood", "denial of service", "T0814",
        "messages far faster than any sensor reports",
        f"mqtt.msgtype == 3 && {_FROM}", _CLIENT, ("qos-0", "qos-1"),
        (_count("messages", 10, 2000, 60, 400, _COUNT), _rate(20, 1000, 150, 600)),
        target="broker", pace="once", frames=20, frames_each=4, cost_s=0.2,
        demands=(_PLAINTEXT,),
    ),
    Kind(
        "connect-flood", "denial of service", "T0814",
        "connections opened as fast as the broker takes them, and held for a while",
        f"mqtt.msgtype == 1 && {_FROM}", _CLIENT, ("hold",),
        (_count("connections", 5, 300, 20, 80, _COUNT), _rate(10, 300, 80, 200),
         Parameter("hold_s", "s", 1, 240, 2, 60, "time for which they are held")),
        target="broker", pace="once", frames_each=14, cost_s=0.4,
        demands=(_PLAINTEXT,),
    ),
    Kind(
        "syn-flood", "denial of service", "T0814",
        "connection requests that are never completed",
        f"tcp.flags.syn == 1 && tcp.flags.ack == 0 && {_FROM}", _CLIENT, ("syn",),
        (_count("requests", 10, 2000, 60, 400, _COUNT), _rate(20, 1000, 150, 600)),
        target="broker", pace="once", frames_each=3, cost_s=0.2,
        demands=(_PLAINTEXT,),
    ),
    Kind(
        "slow-denial", "denial of service", "T0814",
        "connections that say nothing until their keepalive runs out (SlowITe)",
        f"mqtt.msgtype == 1 && {_FROM}", _CLIENT, ("silence",),
        (_count("connections", 1, 100, 4, 24, _COUNT),
         Parameter("keepalive_s", "s", 4, 150, 120, 20, "keepalive they ask for; the broker waits half as long again", whole=True)),
        target="broker", pace="once", frames_each=14, cost_s=1.2,
        demands=(_PLAINTEXT,),
    ),
    Kind(
        "malformed", "denial of service", "T0814",
        "packets that break the MQTT grammar, or are far too long",
        f"tcp.port == 1883 && {_FROM}", _CLIENT, ("grammar", "oversized"),
        (_count("packets", 1, 100, 5, 25, _COUNT),
         Parameter("size", "bytes", 1_000, 200_000, 8_000, 60_000, "length of each packet", whole=True, variants=("oversized",))),
        target="broker", pace="once", frames_each=200, cost_s=0.1,
        demands=(_PLAINTEXT,),
    ),
    # -- reconnaissance and time --------------------------------------------------------------------------------------
    Kind(
        "arp-sweep", "reconnaissance and time", "T0846",
        "questions for every address of the network",
        f"arp.opcode == 1 && {_FROM}", _CLIENT, ("sweep",),
        (_count("addresses", 8, 253, 32, 253, _COUNT), _rate(10, 500, 50, 250)),
        target="broker", pace="once", frames=20, frames_each=2, cost_s=0.1,
    ),
    Kind(
        "port-scan", "reconnaissance and time", "T0846",
        "requests to many ports of the broker's host",
        f"(tcp.flags.syn == 1 || udp) && {_FROM}", _CLIENT, ("syn", "udp"),
        (_count("ports", 4, 500, 16, 120, _COUNT), _rate(10, 500, 50, 250)),
        target="broker", pace="once", frames=20, frames_each=3, cost_s=0.2,
    ),
    Kind(
        "fingerprinting", "reconnaissance and time", "T0888",
        "handshakes of every MQTT version and questions for the broker's own topics",
        f"mqtt && {_FROM}", _CLIENT, ("versions",),
        target="broker", pace="once", frames=120, cost_s=0.6,
        demands=(_PLAINTEXT,),
    ),
    Kind(
        "time-forgery", "reconnaissance and time", "T0832",
        "NTP answers that move a controller's clock: its stamps are wrong until the next true answer",
        f"ntp.flags.mode == 4 && eth.dst == {INJECTOR.mac}", (*_PATH, Role.MODIFIED), ("shift",),
        (_size("s", -86_400, 86_400, 0.5, 600, "time by which the unit's clock is moved"),),
        pace="queries", tail=4,
    ),
    # -- benign -------------------------------------------------------------------------------------------------------
    Kind(
        "reboot", "benign", "", "a unit drops its connections and opens them again, with message ids from 1",
        "mqtt.msgtype == 1 || tcp.flags.fin == 1", (Role.CONSEQUENCE,), ("warm",),
        (Parameter("outage_s", "s", 5, 240, 20, 90, "time for which it is away"),),
        actor="unit", pace="once", cost_s=0.3,
    ),
    Kind(
        "firmware", "benign", "", "a unit comes back with another keepalive and a suffix to its client ids, and goes back at the end",
        'mqtt.msgtype == 1 && mqtt.clientid contains "-v"', (Role.CONSEQUENCE,), ("update",),
        (Parameter("keepalive_s", "s", 10, 65_535, 600, 7200, "its new keepalive; longer than the interval", whole=True),),
        actor="unit", pace="ends", cost_s=0.3,
    ),
    Kind(
        "cable", "benign", "", "a unit's cable is pulled and replugged around a reading: silence, then retransmissions",
        "tcp.analysis.retransmission || tcp.flags.syn == 1", (Role.CONSEQUENCE,), ("replug",),
        (Parameter("outage_s", "s", 0.5, 8, 0.8, 3.0, "time for which it is pulled"),),
        actor="unit", needs=("link control",), pace="outage", cost_s=4.0,
    ),
    Kind(
        "door", "benign", "", "a door left open: a unit's air warms up and cools down again",
        "mqtt.msgtype == 3", (Role.CONSEQUENCE,), ("open",),
        (Parameter("size", "°C", 0.2, 15, 1.0, 5.0, "rise of the return air's temperature"),),
        actor="unit", pace="slots",
    ),
    Kind(
        "clock-step", "benign", "", "a unit's clock jumps: its readings come early or late until NTP puts it right",
        "ntp.flags.mode == 3", (Role.CONSEQUENCE,), ("step",),
        (_size("s", -60, 60, 3, 30, "time by which the clock jumps ahead; at most a quarter of the interval"),),
        actor="unit", pace="ends", tail=2,
    ),
    Kind(
        "network-loss", "benign", "", "segments lost by a bad appliance on the path and sent again",
        f"tcp.len > 0 && {_FROM}", _PATH, ("segment",),
        (_count("transmissions", 1, 3, 1, 2, "number of times in a row that the segment with the reading is lost"),),
        edit="lose", cost_s=0.7,
    ),
    Kind(
        "appliance", "benign", "", "an appliance on the path: frames arrive from its MAC address, unaltered",
        f"mqtt.msgtype == 3 && {_FROM}", _PATH, ("relay",), pace="none",
    ),
    Kind(
        "maintenance", "benign", "", "a technician's client that subscribes to the sensors' topic",
        f"mqtt.msgtype == 8 && {_FROM}", _CLIENT, ("subscribe",),
        target="broker", pace="ends", frames=400,
        demands=(_PLAINTEXT,),
    ),
    # -- benign: a sensor's faults, twins of attacks that do the same to its readings; played only when named, so that no plan changes ----
    Kind(
        "stuck-sensor", "benign", "", "a sensor goes on with its last value: what `freeze` of `modification` makes of readings, without an attacker",
        "mqtt.msgtype == 3", (Role.CONSEQUENCE,), ("freeze",), actor="unit", drawn=False,
    ),
    Kind(
        "drifting-sensor", "benign", "", "a sensor whose error grows: what `drift` of `modification` makes of readings, without an attacker",
        "mqtt.msgtype == 3", (Role.CONSEQUENCE,), ("drift",),
        (_size("°C", -50, 50, 0.5, 4.0, "added to the value at the end of the episode"),),
        actor="unit", drawn=False,
    ),
    Kind(
        "noisy-sensor", "benign", "", "a sensor with random errors: what `noise` of `modification` makes of readings, without an attacker",
        "mqtt.msgtype == 3", (Role.CONSEQUENCE,), ("noise",),
        (Parameter("spread", "°C", 0.01, 20, 0.3, 3.0, "standard deviation of the noise added"),),
        actor="unit", drawn=False,
    ),
    Kind(
        "offset-sensor", "benign", "", "a sensor that is always wrong by the same amount: what `shift` of `modification` makes of readings, without an attacker",
        "mqtt.msgtype == 3", (Role.CONSEQUENCE,), ("shift",),
        (_size("°C", -50, 50, 0.5, 4.0, "added to the value"),),
        actor="unit", drawn=False,
    ),
    Kind(
        "late-sensor", "benign", "", "a unit publishes a sensor's readings late: what `delay` makes of readings, without an attacker",
        "mqtt.msgtype == 3", (Role.CONSEQUENCE, Role.DELAYED), ("hold",),
        (Parameter("delay_s", "s", 0.0002, 3600, 20, 560, "time for which each reading is kept; at most two intervals less 5 s"),),
        actor="unit", pace="holds", edit="hold", tail=3, drawn=False,
    ),
    Kind(
        "repeating-sensor", "benign", "", "a unit publishes a sensor's readings again: what `duplication` makes of readings, without an attacker",
        "mqtt.msgtype == 3", (Role.CONSEQUENCE, Role.DUPLICATE), ("once", "burst"),
        (
            Parameter("count", "copies", 1, 30, 2, 5, "copies of each reading", whole=True, variants=("burst",)),
            Parameter("gap_s", "s", 0.008, 300, 0.008, 0.03, "time between two copies; 8 to 30 ms, each drawn by seed, when left out",
                      variants=("burst",), drawn=False),
        ),
        actor="unit", pace="copies", frames=70, drawn=False,
    ),
    Kind(
        "dropping-sensor", "benign", "", "a sensor takes no readings, on a connection that stays up: what `removal` makes of readings, without an attacker",
        "mqtt.msgtype == 3", (Role.REMOVED,), ("swallow",),
        actor="unit", edit="swallow", drawn=False,
    ),
    # -- attacks on TLS; they come last, so that the numbers of the other kinds stay, and are played only when named ------------------------
    Kind(
        "downgrade", "on the path", "T0830",
        "the port for TLS refuses a unit's connections until it reports in plaintext, which the attacker reads",
        f"mqtt.msgtype == 3 && {_FROM}", _PATH, ("refuse",), pace="bounds", frames=12, cost_s=0.5, tail=2,
        demands=(
            Demand(PLAINTEXT, (True,), "a downgrade leads to its plaintext listener"),
            Demand("tls", (True,), "what speaks plaintext needs no downgrade"),
            Demand("fallback", (True,), "it would rather be silent than speak plaintext"),
        ),
        expels=True, drawn=False,
    ),
    Kind(
        "false-certificate", "on the path", "T0830",
        "the attacker shows a certificate of its own in the broker's name; the unit refuses it and connects again",
        f"tcp.flags.reset == 1 && {_FROM}", _PATH, ("unknown",),
        (_count("connections", 1, 4, 1, 3, "connections of a sensor that are answered with it before each reading"),),
        pace="before", frames_each=8, cost_s=1.5, tail=2,
        demands=(Demand("tls", (True,), "only TLS has certificates"),),
        expels=True, drawn=False,
    ),
)  # fmt: skip

SHIPPED: dict[str, Kind] = {kind.name: kind for kind in _KINDS}
"""Every kind that coldaisle ships by its name, in the order of the documentation."""
KINDS: Table[Kind] = Table("coldaisle.attacks", SHIPPED, Kind, faults)
"""Every kind by its name: the shipped ones and those of other packages (docs/extending.md)."""
ATTACKS = tuple(name for name, kind in SHIPPED.items() if not kind.benign)
BENIGN = tuple(name for name, kind in SHIPPED.items() if kind.benign)
DRAWN = tuple(name for name, kind in SHIPPED.items() if kind.drawn)
"""The kinds that a scenario draws whose table ``drawn`` names none."""


def expelling(played: Iterable[str]) -> frozenset[str]:
    """Return the kinds whose acts break a sensor's connection: the shipped ones, and those among the kinds played."""
    return frozenset(name for name in {*SHIPPED, *played} if KINDS[name].expels)


def _known(name: str) -> str:
    if name not in KINDS:
        alike = get_close_matches(name, KINDS, 1)
        known = alike[0] if alike else f"one of {', '.join(KINDS)}"
        raise ValueError(f"use {known}, or install the package that adds this kind")
    return name


KindName = Annotated[
    str,
    AfterValidator(_known),
    WithJsonSchema({"anyOf": [{"enum": list(SHIPPED)}, {"type": "string", "pattern": f"^{NAME.pattern}$"}]}),
]
"""The name of a kind; one that is not shipped is of another package."""
