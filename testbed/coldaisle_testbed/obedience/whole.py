"""What a real run shows as a whole, whatever kinds it played: every frame is known, and the units noticed nothing."""

from collections import Counter
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address

from coldaisle_contracts.addressing import BROKER, INJECTOR, NETWORK
from coldaisle_contracts.journal import frame_digest
from coldaisle_contracts.topics import SENSORS
from coldaisle_testbed.obedience.observed import Played, count

Check = Callable[[Played], Iterator[str]]
_ARP = b"\x08\x06"


def no_connection_stays_open(played: Played) -> Iterator[str]:
    """Yield a sentence where the attacker's host opened more connections than it closed or reset."""
    opened, closed = (
        sum(count(path, f"{which} && ip.src == {INJECTOR.ip}") for path in played.captures.values())
        for which in ("mqtt.msgtype == 1", "(tcp.flags.fin == 1 || tcp.flags.reset == 1)")
    )
    if closed < opened:
        yield f"the attacker opened {opened} MQTT connections and closed {closed}"


def every_frame_of_the_attacker_is_in_its_journal(played: Played) -> Iterator[str]:
    """Yield the numbers of frames in which capture and journal differ, on the broker's side, each frame counted as often as it is there."""
    ours, address = bytes.fromhex(INJECTOR.mac.replace(":", "")), IPv4Address(INJECTOR.ip).packed
    counts = Counter(
        (shard, frame_digest(frame))
        for shard, frames in played.frames.items()
        for frame in frames
        if ours in (frame[:6], frame[6:12]) or (frame[12:14] == _ARP and frame[38:42] == address)
    )
    noted = Counter(
        (line["shard"], line["digest"])
        for line in played.injector
        if line["event"] == "frame" and line["side"] == "broker"
    )
    for difference, where in (
        (counts - noted, "in the capture and not in the journal"),
        (noted - counts, "in the journal and not in the capture"),
    ):
        if difference:
            yield f"{difference.total()} frames of the attacker are {where}"


def nobody_else_is_spoken_to(played: Played) -> Iterator[str]:
    """Yield the frames to strangers: the attacker sends only to units and broker."""
    strangers = {
        "IPv4 frames leave the test network": f"ip && !(ip.src == {NETWORK} && ip.dst == {NETWORK})",
        "frames are IPv6": "ipv6",
        "frames of the attacker go to another host than the broker": f"ip && eth.src == {INJECTOR.mac} && !(ip.dst == {BROKER.ip})",
    }
    for path in played.captures.values():
        for sentence, only in strangers.items():
            if found := count(path, only):
                yield f"{path.name}: {found} {sentence}"


def no_reading_is_lost_to_its_sensor(played: Played) -> Iterator[str]:
    """Yield the units that did not take every reading once, or did not get its acknowledgement; a silent sensor takes none."""
    for unit, lines in played.units.items():
        silent = sum(line["event"] == "act" and line["operation"] == "swallow" for line in lines)
        expected = len(played.plan.slots_of(unit)) * len(SENSORS) - silent
        readings = [(line["client"], line["slot"]) for line in lines if line["event"] == "reading"]
        if not expected == len(readings) == len(set(readings)):
            yield f"{unit} has {len(set(readings))} acknowledged readings of {expected}"


CHECKS: tuple[Check, ...] = (
    no_connection_stays_open,
    every_frame_of_the_attacker_is_in_its_journal,
    nobody_else_is_spoken_to,
    no_reading_is_lost_to_its_sensor,
)
"""All checks, in order."""
