"""The examination of a shard's capture, from the first frame to the last."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from coldaisle_analysis.witness import entries, mqtt_packets, payloads
from coldaisle_analysis.witness.attacker import CRAFTED, Attacker
from coldaisle_analysis.witness.companions import Companions
from coldaisle_analysis.witness.connections import Connections
from coldaisle_analysis.witness.frames import BROADCAST, TCP, UDP, Frame, read
from coldaisle_analysis.witness.journals import Journals, Line
from coldaisle_analysis.witness.loops import Loops
from coldaisle_analysis.witness.own_host import OwnHost
from coldaisle_analysis.witness.queries import Queries
from coldaisle_analysis.witness.stations import Stations
from coldaisle_analysis.witness.verdict import KERNEL, NORMAL, Doubt, Verdict, part_of
from coldaisle_analysis.witness.within_tls import WithinTls
from coldaisle_contracts.addressing import BROKER, INJECTOR, MQTT_PORT, MQTT_PORTS, NTP_PORT
from coldaisle_contracts.listeners import KEY_LOG
from coldaisle_contracts.timeline import Timeline


class Examination:
    """The examination of a shard, which determines the verdict on every frame.

    Args:
        journals: the plan and the journals.
        shard: name of the shard.

    Attributes:
        names: number and file of each frame.
        verdicts: the possible verdicts on each frame; none where nothing explains it.
        doubts: everything that cannot be explained.
    """

    def __init__(self, journals: Journals, shard: str) -> None:
        self.names: list[str] = []
        self.verdicts: list[tuple[Verdict, ...]] = []
        self.doubts: list[Doubt] = list(entries.doubts(journals, shard))
        self._episodes = journals.episodes
        self._attacker = Attacker(journals, shard)
        self._connections = Connections(journals, shard)
        self._companions = Companions(journals, shard)
        self._queries = Queries(journals, shard)
        self._stations = Stations(journals, shard)
        self._loops = Loops(journals, shard)
        self._altered = set[int]()
        opened = [line for line in journals.attacker[shard] if line["event"] == "open"]
        hosts = journals.plan.hosts
        self._own_host = OwnHost(opened, hosts, self._settle)
        self._macs = {host.ip: host.mac for host in hosts if host != INJECTOR}
        self._encrypted = journals.plan.scenario.site.broker.tls is not None
        self._units = {unit.host.ip for unit in journals.plan.units.values()}
        self._clients = self._units | {host.ip for host in journals.plan.workstations.values()}

    def run(self, run: Path, raws: Sequence[str], timeline: Timeline) -> None:
        """Examine the frames of the shard.

        Raises:
            InputError: if a capture cannot be read.
        """
        within = WithinTls(read(run, raws, timeline), run / "capture" / KEY_LOG) if self._encrypted else None
        for number, frame in enumerate(read(run, raws, timeline)):
            if within is not None:
                within.say(frame)
            self.names.append(frame.name)
            self.verdicts.append(())
            able = self._touched(number, frame) if _is_touched(frame) else self._untouched(frame)
            if able is not None:
                self.verdicts[number] = able
            self._loops.see(number, frame)
        parts = (
            self._own_host,
            self._attacker,
            self._connections,
            self._companions,
            self._queries,
            self._stations,
        )
        for part in parts:
            self.doubts += part.close()
        for finding in self._loops.decide(self.verdicts):
            if isinstance(finding, Doubt):
                self.doubts.append(finding)
            elif finding[0] not in self._altered:
                self.verdicts[finding[0]] = (part_of(self._episodes[finding[1]]),)

    def _settle(self, number: int, episode: str) -> None:
        """Store the verdict on a frame of the attacker's own host."""
        self.verdicts[number] = (NORMAL if episode == KERNEL else part_of(self._episodes[episode]),)

    def _suspect(self, frame: Frame, reasons: Iterable[str]) -> None:
        self.doubts += [Doubt(frame.name, reason) for reason in reasons]

    def _doubt(self, frame: Frame, reason: str) -> tuple[Verdict, ...]:
        self._suspect(frame, [f"{reason}: {_words(frame)}"])
        return ()

    # -- frames through, from or to the attacker -----------------------------------------------------------------

    def _touched(self, number: int, frame: Frame) -> tuple[Verdict, ...] | None:
        """Return the possible verdicts on a frame of the attacker, ``None`` if they are settled elsewhere, now or later."""
        line = self._attacker.line(frame)
        if line is not None:
            self._suspect(frame, self._attacker.examine(line, frame))
        if INJECTOR.ip in (frame.source, frame.target):
            return self._own_hosts(number, frame, line)
        if line is None or self._attacker.episode(line) is None:
            return self._doubt(frame, "has no line in the attacker's journal")
        if line["act"] != "relay":
            self._altered.add(number)
        if frame.protocol == TCP:
            return self._passed(frame, line)
        if frame.protocol == UDP:
            self._suspect(frame, self._queries.explain(frame))
        return self._able(line, frame)

    def _own_hosts(self, number: int, frame: Frame, line: Line | None) -> tuple[Verdict, ...] | None:
        """Return the verdict on a frame from or to the attacker's own address, ``None`` if it is settled elsewhere."""
        if line is not None and line["act"] in CRAFTED and self._attacker.episode(line) is not None:
            self._own_host.crafted(frame, line["episode"])
            return self._able(line, frame)
        return None if self._own_host.explain(number, frame) else self._doubt(frame, "follows from no act")

    def _able(self, line: Line, frame: Frame) -> tuple[Verdict, ...]:
        part = self._attacker.is_part(line, frame)
        whole = part_of(self._episodes[line["episode"]])
        return (NORMAL, whole) if part is None else (whole,) if part else (NORMAL,)

    def _passed(self, frame: Frame, line: Line) -> tuple[Verdict, ...]:
        """Return the possible verdicts on a TCP segment between a unit and the broker that passed through the attacker."""
        episode, doubts = self._connections.explain(frame, touched=True)
        self._suspect(frame, doubts)
        relayed = line["act"] == "relay"
        publish = frame.source in self._units and payloads.kind(frame.said) == mqtt_packets.PUBLISH
        if relayed and publish and not self._connections.carries(frame):
            self._doubt(
                frame, "is recorded as only relayed, and carries a reading that its unit did not record"
            )
        if relayed and episode:
            return (part_of(self._episodes[episode]),)
        return self._able(line, frame)

    # -- all other frames -----------------------------------------------------------------------------------------

    def _untouched(self, frame: Frame) -> tuple[Verdict, ...]:
        if frame.kind == "arp":
            known = self._macs.get(frame.source) == frame.sender_mac == frame.eth_src
            honest = known and frame.target in self._macs
            return (NORMAL,) if honest else self._doubt(frame, "is ARP in the name of another host")
        hosts = {frame.source, frame.target}
        honest = BROKER.ip in hosts and self._macs.get(frame.source) == frame.eth_src
        with_companion = honest and bool(hosts & self._companions.addresses)
        if with_companion and frame.protocol == TCP and _servers_port(frame) == MQTT_PORT:
            doubts = self._companions.explain(frame)
            self._suspect(frame, doubts)
            return () if doubts else (NORMAL,)
        with_unit = honest and bool(hosts & self._units)
        if with_unit and frame.protocol == TCP and _servers_port(frame) in MQTT_PORTS:
            episode, doubts = self._connections.explain(frame, touched=False)
            self._suspect(frame, doubts)
            return () if doubts else (part_of(self._episodes[episode]) if episode else NORMAL,)
        asks_time = honest and bool(hosts & self._clients)
        if asks_time and frame.protocol == UDP and _servers_port(frame) == NTP_PORT:
            self._suspect(frame, self._queries.explain(frame))
            return (NORMAL,)
        if self._stations.concerns(frame):
            doubts = self._stations.explain(frame)
            self._suspect(frame, doubts)
            return () if doubts else (NORMAL,)
        return self._doubt(frame, "belongs to no known conversation")


def _servers_port(frame: Frame) -> int:
    return frame.dport if frame.target == BROKER.ip else frame.sport


def _is_touched(frame: Frame) -> bool:
    """Tell whether a frame came from the attacker's interface, went to it, or is a broadcast ARP request for its address."""
    asks = frame.kind == "arp" and frame.eth_dst == BROADCAST and frame.target == INJECTOR.ip
    return INJECTOR.mac in (frame.eth_src, frame.eth_dst) or asks


def _words(frame: Frame) -> str:
    ports = f" ports {frame.sport} to {frame.dport}" if frame.sport or frame.dport else ""
    return f"{frame.eth_src} to {frame.eth_dst}, {frame.source or '-'} to {frame.target or '-'}{ports}"
