"""The tap journals every frame of the attacker's own host with its episode and the side of the network that it passes."""

import socket
from pathlib import Path

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.l2 import ARP, Ether
from tests.injector.made import UNIT, episode, publish, segment
from tests.injector.made_stage import NEAR, Clocks, Theatre, draw_near

from coldaisle_contracts.addressing import BROKER, INJECTOR, Host
from coldaisle_contracts.journal import frame_digest
from coldaisle_contracts.plan import Episode
from coldaisle_injector import crafted
from coldaisle_injector.notes import BudgetError, Notes
from coldaisle_injector.script import Script
from coldaisle_injector.segments import read_addresses, read_arp

PORT = 2_345
EPISODE = episode(kind="will-abuse", unit=None)
OTHER = episode(kind="syn-flood", unit=None, readings=1, start="00:30")


@pytest.fixture
def theatre(tmp_path: Path) -> Theatre:
    """A foothold without a network."""
    return Theatre(tmp_path, Clocks())


def _entered(theatre: Theatre, begun: Episode = EPISODE) -> Notes:
    """Return the notes of an episode that has begun."""
    notes = theatre.notes()
    theatre.foothold.enter(begun, notes)
    return notes


def _tcp(source: Host, target: Host, flags: str, ports: tuple[int, int], seq: int = 0, ack: int = 0) -> bytes:
    tcp = TCP(sport=ports[0], dport=ports[1], flags=flags, seq=seq, ack=ack)
    return bytes(Ether(src=source.mac, dst=target.mac) / IP(src=source.ip, dst=target.ip) / tcp)


def _out(flags: str, seq: int, ack: int = 0, port: int = PORT) -> bytes:
    return _tcp(INJECTOR, BROKER, flags, (port, 1883), seq, ack)


def _in(flags: str, seq: int, ack: int = 0, port: int = PORT) -> bytes:
    return _tcp(BROKER, INJECTOR, flags, (1883, port), seq, ack)


def _arp(source: Host, target: Host, operation: int, *, to: str = "", mac: str = "") -> bytes:
    """Return an ARP frame between two hosts; ``to`` is its destination MAC address, ``mac`` the address that its sender claims."""
    arp = ARP(op=operation, hwsrc=mac or source.mac, psrc=source.ip, pdst=target.ip)
    return bytes(Ether(src=source.mac, dst=to or target.mac) / arp)


EVERYBODY = "ff:ff:ff:ff:ff:ff"


def test_it_concerns_itself_with_its_own_address_alone(theatre: Theatre) -> None:
    """The foothold ignores frames between a unit and the broker, although its network card receives them."""
    frames = [crafted.syn(PORT, 1883, 1), crafted.question("198.18.0.9"), segment(publish("15.54", 1)).frame]
    concerned = [theatre.foothold.concerns(read_arp(frame), read_addresses(frame)) for frame in frames]
    assert concerned == [True, True, False]


def test_sent_frame_is_counted_and_noted(theatre: Theatre) -> None:
    """A sent frame is on the wire once, in the journal once, and counts for the budget."""
    notes, frame = _entered(theatre), crafted.syn(PORT, 1883, 1)
    theatre.foothold.send(frame, notes, "syn")
    assert theatre.wire.sent == [frame]
    (line,) = theatre.lines("frame")
    assert (line["digest"], line["episode"]) == (frame_digest(frame), EPISODE.id)
    assert (line["role"], line["act"], line["side"], line["anomalous"]) == ("injected", "syn", "broker", True)


def test_what_its_kernel_says_and_hears_of_a_flow_is_noted(theatre: Theatre) -> None:
    """The answer to a SYN belongs to the SYN's episode, and so does the RST of a kernel without that connection."""
    notes = _entered(theatre)
    theatre.foothold.send(crafted.syn(PORT, 1883, 7), notes, "syn")
    theatre.foothold.tap(_in("SA", 100, 8), outgoing=False)
    theatre.foothold.tap(_out("R", 8), outgoing=True)
    lines = theatre.lines("frame")[1:]
    assert [(line["role"], line["side"], line["episode"]) for line in lines] == [
        ("consequence", "broker", EPISODE.id),
        ("injected", "broker", EPISODE.id),
    ]


def test_two_episodes_at_once_are_told_apart_by_port(theatre: Theatre) -> None:
    """An answer belongs to the episode that sent the frame from its port."""
    first, second = _entered(theatre), _entered(theatre, OTHER)
    second.episode = "e99"
    theatre.foothold.send(crafted.syn(PORT, 1883, 7), first, "syn")
    theatre.foothold.send(crafted.syn(PORT + 1, 1883, 7), second, "syn")
    theatre.foothold.tap(_in("SA", 1, 8, PORT + 1), outgoing=False)
    theatre.foothold.tap(_in("SA", 1, 8), outgoing=False)
    assert [line["episode"] for line in theatre.lines("frame")[2:]] == ["e99", EPISODE.id]


STRANGERS = {
    "an unknown port": (_out("S", 7, port=PORT + 1), True),
    "a new connection from a known port": (_out("S", 99), True),
    "a sequence number beyond the last": (_out("A", 5_000, 101), True),
    "a sequence number before the first": (_out("A", 3, 101), True),
    "an answer to data that was never sent": (_in("A", 101, 5_000), False),
    "a reset for data that was never acknowledged": (_in("R", 5_000), False),
    "another target": (_tcp(INJECTOR, BROKER, "S", (PORT, 9_999), 7), True),
    "another host": (_tcp(INJECTOR, UNIT, "S", (PORT, 1883), 7), True),
}


@pytest.mark.parametrize("case", STRANGERS)
def test_what_follows_from_no_act_has_no_line(theatre: Theatre, case: str) -> None:
    """Neither the port alone nor the time assigns a frame to an episode: the ledger reports the frame later."""
    frame, outgoing = STRANGERS[case]
    theatre.foothold.send(crafted.syn(PORT, 1883, 7), _entered(theatre), "syn")
    theatre.foothold.tap(_in("SA", 100, 8), outgoing=False)
    theatre.foothold.tap(_out("A", 8, 101), outgoing=True)
    before = len(theatre.lines("frame"))
    theatre.foothold.tap(frame, outgoing=outgoing)
    assert len(theatre.lines("frame")) == before


def test_connection_is_followed_from_its_syn_to_its_last_reset(
    theatre: Theatre, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Data, retransmissions, acknowledgements and resets of an act's connection belong to the act's episode."""
    notes = _entered(theatre)
    with socket.create_server((NEAR.ip, 0)) as server:
        draw_near(monkeypatch, server.getsockname()[1])
        client = theatre.foothold.client(notes)
        client.abort()
    (opened,) = theatre.lines("open")
    assert (opened["episode"], opened["port"]) == (EPISODE.id, client.port)
    port = client.port
    talk = [
        (_out("S", 7, port=port), True),
        (_out("S", 7, port=port), True),
        (_in("SA", 100, 8, port), False),
        (_out("A", 8, 101, port), True),
        (_in("A", 101, 8, port), False),
        (_out("FA", 8, 101, port), True),
        (_out("FA", 8, 101, port), True),
        (_in("R", 101, 0, port), False),
    ]
    for frame, outgoing in talk:
        theatre.foothold.tap(frame, outgoing=outgoing)
    assert len(theatre.lines("frame")) == len(talk)
    assert {line["episode"] for line in theatre.lines("frame")} == {EPISODE.id}


@pytest.mark.parametrize("ours", [True, False])
def test_icmp_error_belongs_to_the_packet_it_quotes(theatre: Theatre, ours: bool) -> None:
    """An ICMP port-unreachable message belongs to the episode of the datagram that it quotes, whichever host sent the datagram."""
    notes = _entered(theatre)
    theatre.foothold.send(crafted.datagram(PORT, 161), notes, "ask")
    there, here = (BROKER, INJECTOR) if ours else (INJECTOR, BROKER)
    sport, dport = (PORT, 161) if ours else (161, PORT)
    quoted = IP(src=here.ip, dst=there.ip) / UDP(sport=sport, dport=dport)
    refusal = (
        Ether(src=there.mac, dst=here.mac) / IP(src=there.ip, dst=here.ip) / ICMP(type=3, code=3) / quoted
    )
    theatre.foothold.tap(bytes(refusal), outgoing=not ours)
    assert theatre.lines("frame")[-1]["episode"] == EPISODE.id
    stranger = bytearray(bytes(refusal))
    stranger[-4:] = bytes(4)
    stranger[-8:-4] = bytes(4)
    theatre.foothold.tap(bytes(stranger), outgoing=not ours)
    assert len(theatre.lines("frame")) == 2


@pytest.mark.parametrize(("peer", "side"), [(UNIT, "unit"), (BROKER, "broker")])
def test_renewal_belongs_to_no_episode(theatre: Theatre, peer: Host, side: str) -> None:
    """An ARP question to a single host, and its answer, have no line, however recently an act asked."""
    theatre.foothold.send(crafted.question(peer.ip), _entered(theatre), "ask")
    theatre.foothold.tap(_arp(peer, INJECTOR, 2), outgoing=False)
    for asker, asked, outgoing in ((INJECTOR, peer, True), (peer, INJECTOR, False)):
        theatre.foothold.tap(_arp(asker, asked, 1), outgoing=outgoing)
        theatre.foothold.tap(_arp(asked, asker, 2), outgoing=not outgoing)
    asked_by_act, answer = theatre.lines("frame")
    assert (asked_by_act["act"], answer["act"], answer["side"]) == ("ask", "answer", side)


def test_question_to_everybody_belongs_to_the_frame_it_lets_through(theatre: Theatre) -> None:
    """A kernel broadcasts an ARP question before it sends a frame; the question belongs to the episode of that frame."""
    notes = _entered(theatre)
    theatre.foothold.send(crafted.syn(PORT, 1883, 7), notes, "syn")
    theatre.foothold.tap(_arp(BROKER, INJECTOR, 1, to=EVERYBODY), outgoing=False)
    theatre.foothold.tap(_arp(INJECTOR, BROKER, 2), outgoing=True)
    assert len(theatre.lines("frame")) == 1
    theatre.clocks.now += 1
    theatre.foothold.tap(_in("SA", 100, 8), outgoing=False)
    lines = theatre.lines("frame")[1:]
    assert [(line["episode"], line["at_ns"]) for line in lines] == [
        (EPISODE.id, 0),
        (EPISODE.id, 0),
        (EPISODE.id, 1),
    ]


def test_question_that_lets_nothing_of_an_act_through_belongs_to_none(theatre: Theatre) -> None:
    """A broadcast question before a frame of no episode belongs to no episode."""
    notes = _entered(theatre)
    theatre.foothold.tap(_arp(INJECTOR, BROKER, 1, to=EVERYBODY), outgoing=True)
    theatre.foothold.tap(_arp(BROKER, INJECTOR, 2), outgoing=False)
    theatre.foothold.tap(_out("S", 7), outgoing=True)
    theatre.foothold.send(crafted.syn(PORT, 1883, 7), notes, "syn")
    theatre.foothold.tap(_arp(BROKER, INJECTOR, 2), outgoing=False)
    assert [line["act"] for line in theatre.lines("frame")] == ["syn"]


@pytest.mark.parametrize(
    "frame",
    [
        _arp(BROKER, INJECTOR, 2),
        _arp(UNIT, INJECTOR, 1, mac=BROKER.mac),
        b"\xff" * 12 + b"\x86\xdd" + bytes(60),
    ],
    ids=["an answer without a question", "a forged sender", "IPv6"],
)
def test_what_no_kernel_of_the_plan_says_has_no_line(theatre: Theatre, frame: bytes) -> None:
    """Answers without a question, forged senders and other protocols have no line, so that the ledger reports them."""
    _entered(theatre)
    theatre.foothold.tap(frame, outgoing=False)
    assert not theatre.foothold._questions._waiting
    theatre.notes().phase("begin")
    assert theatre.lines("frame") == []


def test_question_to_everybody_is_on_the_brokers_wire_too(theatre: Theatre) -> None:
    """A broadcast also reaches the capture beside the broker."""
    theatre.foothold.send(crafted.question("198.18.0.9"), _entered(theatre), "ask")
    assert theatre.lines("frame")[-1]["side"] == "broker"


def test_its_kernel_spends_the_budget_too(theatre: Theatre) -> None:
    """Frames of the kernel count for the budget as well: one more than the plan allows ends the run."""
    notes = _entered(theatre)
    theatre.foothold.send(crafted.syn(PORT, 1883, 7), notes, "syn")
    notes.spend(EPISODE.packets - 1)
    theatre.foothold.tap(_in("SA", 100, 8), outgoing=False)
    with pytest.raises(BudgetError, match=EPISODE.id):
        theatre.foothold.tap(_out("R", 8), outgoing=True)


def test_leaving_closes_its_own_connections_and_no_others(
    theatre: Theatre, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hundreds of connections are closed a few at a time; those of other episodes stay; the end is noted when all are closed."""
    mine, other = _entered(theatre), _entered(theatre, OTHER)
    with socket.create_server((NEAR.ip, 0), backlog=200) as server:
        draw_near(monkeypatch, server.getsockname()[1])
        stays = theatre.foothold.client(other)
        for _ in range(100):
            theatre.foothold.client(mine)
        brokers = [server.accept()[0] for _ in range(101)]
        while not all(client.connected for client in theatre.foothold.clients):
            theatre.listen(0.1)
        over = list[bool]()

        def leaving() -> Script:
            yield from theatre.foothold.leave(mine)
            over.append(True)

        theatre.stage.add(leaving())
        farewells = list[int]()
        while not over:
            assert "end" not in [line["phase"] for line in theatre.lines("episode")]
            farewells.append(_answer_farewells(brokers))
            theatre.listen(0.1)
            theatre.stage.look()
        assert theatre.foothold.clients == [stays]
        assert sum(farewells) == 100
        assert max(farewells) < 50
        stays.abort()
    assert [line["phase"] for line in theatre.lines("episode")] == ["begin", "begin", "end"]


def _answer_farewells(brokers: list[socket.socket]) -> int:
    """Close the broker's end of every connection whose other end has sent a FIN; return how many."""
    gone = list[socket.socket]()
    for sock in brokers:
        sock.setblocking(False)
        try:
            if sock.recv(1) == b"":
                gone.append(sock)
        except BlockingIOError:
            continue
    for sock in gone:
        brokers.remove(sock)
        sock.close()
    return len(gone)
