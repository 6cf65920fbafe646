"""The tap notes every frame of the attacker's own with the episode it belongs to, and on whose wire it is."""

import socket
from pathlib import Path

import pytest
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import ARP, Ether
from tests.injector.made import UNIT, episode, publish, segment
from tests.injector.made_stage import NEAR, Clocks, Theatre, draw_near

from coldaisle_contracts.addressing import BROKER, INJECTOR, Host
from coldaisle_contracts.journal import frame_digest
from coldaisle_contracts.plan import Episode
from coldaisle_injector import crafted
from coldaisle_injector.notes import BudgetError, Notes
from coldaisle_injector.script import Script

PORT = 2_345
EPISODE = episode(kind="will-abuse", unit=None)
OTHER = episode(kind="syn-flood", unit=None, readings=1, start="00:30")


@pytest.fixture
def theatre(tmp_path: Path) -> Theatre:
    """A foothold without a network."""
    return Theatre(tmp_path, Clocks())


def _entered(theatre: Theatre, wanted: Episode = EPISODE) -> Notes:
    """Return the notes of an episode that has begun."""
    notes = theatre.notes()
    theatre.foothold.enter(wanted, notes)
    return notes


def _tcp(source: Host, target: Host, flags: str, sport: int, dport: int) -> bytes:
    tcp = TCP(sport=sport, dport=dport, flags=flags)
    return bytes(Ether(src=source.mac, dst=target.mac) / IP(src=source.ip, dst=target.ip) / tcp)


def test_it_concerns_itself_with_its_own_address_alone(theatre: Theatre) -> None:
    """What passes between a unit and the broker is none of its business, though its card receives it."""
    assert theatre.foothold.concerns(crafted.syn(PORT, 1883, 1))
    assert theatre.foothold.concerns(crafted.question("198.18.0.9"))
    assert not theatre.foothold.concerns(segment(publish("15.54", 1)).frame)


def test_sent_frame_is_counted_and_noted(theatre: Theatre) -> None:
    """It is on the wire once, in the journal once, and paid for."""
    notes, frame = _entered(theatre), crafted.syn(PORT, 1883, 1)
    theatre.foothold.send(frame, notes, "syn", PORT)
    assert theatre.wire.sent == [frame]
    (line,) = theatre.lines("frame")
    assert (line["digest"], line["episode"]) == (frame_digest(frame), EPISODE.id)
    assert (line["role"], line["act"], line["side"], line["anomalous"]) == ("injected", "syn", "broker", True)


@pytest.mark.parametrize(("outgoing", "role"), [(True, "injected"), (False, "consequence")])
def test_what_its_kernel_says_and_hears_is_noted(theatre: Theatre, outgoing: bool, role: str) -> None:
    """Its kernel's frames are the attacker's; the answers follow from them."""
    notes = _entered(theatre)
    theatre.foothold.send(crafted.syn(PORT, 1883, 1), notes, "syn", PORT)
    hosts, ports = ((INJECTOR, BROKER), (PORT, 1883)) if outgoing else ((BROKER, INJECTOR), (1883, PORT))
    theatre.foothold.tap(_tcp(*hosts, "R" if outgoing else "SA", *ports), outgoing=outgoing)
    line = theatre.lines("frame")[-1]
    assert (line["role"], line["side"], line["episode"]) == (role, "broker", EPISODE.id)


def test_frame_belongs_to_the_episode_that_took_its_port(theatre: Theatre) -> None:
    """Two episodes at once are told apart by port; what has none is the latest speaker's."""
    first, second = _entered(theatre), _entered(theatre, OTHER)
    second.episode = "e99"
    theatre.foothold.send(crafted.syn(PORT, 1883, 1), first, "syn", PORT)
    theatre.foothold.send(crafted.syn(PORT + 1, 1883, 1), second, "syn", PORT + 1)
    for frame in (
        _tcp(BROKER, INJECTOR, "SA", 1883, PORT),
        _tcp(BROKER, INJECTOR, "SA", 1883, PORT + 1),
        bytes(Ether(src=BROKER.mac, dst=INJECTOR.mac) / ARP(op=2, psrc=BROKER.ip, pdst=INJECTOR.ip)),
    ):
        theatre.foothold.tap(frame, outgoing=False)
    assert [line["episode"] for line in theatre.lines("frame")[2:]] == [EPISODE.id, "e99", "e99"]


@pytest.mark.parametrize(("host", "side"), [(UNIT, "unit"), (BROKER, "broker")])
def test_answer_is_on_the_wire_of_who_gives_it(theatre: Theatre, host: Host, side: str) -> None:
    """The broker's capture does not see what a unit answers to the attacker's own address."""
    _entered(theatre)
    answer = Ether(src=host.mac, dst=INJECTOR.mac) / ARP(op=2, psrc=host.ip, pdst=INJECTOR.ip)
    theatre.foothold.tap(bytes(answer), outgoing=False)
    assert theatre.lines("frame")[-1]["side"] == side


def test_question_to_everybody_is_on_the_brokers_wire_too(theatre: Theatre) -> None:
    """A broadcast reaches the capture."""
    theatre.foothold.send(crafted.question("198.18.0.9"), _entered(theatre), "ask")
    assert theatre.lines("frame")[-1]["side"] == "broker"


def test_its_kernel_spends_the_budget_too(theatre: Theatre) -> None:
    """More frames than the plan allows end the run, whoever sent them."""
    notes = _entered(theatre)
    notes.spend(EPISODE.packets)
    theatre.foothold.tap(_tcp(BROKER, INJECTOR, "SA", 1883, PORT), outgoing=False)
    with pytest.raises(BudgetError, match=EPISODE.id):
        theatre.foothold.tap(_tcp(INJECTOR, BROKER, "R", PORT, 1883), outgoing=True)


def test_nobody_is_blamed_before_anybody_came(theatre: Theatre) -> None:
    """A frame before the first episode has no line: whoever reads the capture will ask."""
    theatre.foothold.tap(_tcp(BROKER, INJECTOR, "SA", 1883, PORT), outgoing=False)
    theatre.notes().phase("begin")
    assert theatre.lines("frame") == []


def test_leaving_closes_its_own_connections_and_no_others(
    theatre: Theatre, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hundreds are closed a few at a time; another episode's connection stays; the end is noted when all are closed."""
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
    """Close the broker's end of every connection whose other end said goodbye; return how many."""
    gone = list[socket.socket]()
    for each in brokers:
        each.setblocking(False)
        try:
            if each.recv(1) == b"":
                gone.append(each)
        except BlockingIOError:
            continue
    for each in gone:
        brokers.remove(each)
        each.close()
    return len(gone)
