"""Look-ups of names; the only module that imports dnspython."""

import socket

import dns.exception
import dns.message
import dns.query
import dns.rdatatype

from coldaisle_contracts.addressing import BROKER
from coldaisle_contracts.background import DNS_PORT
from coldaisle_contracts.clock import Clock
from coldaisle_contracts.journal import Journal
from coldaisle_contracts.journal_lines import LookupLine

TIMEOUT_S = 5.0
"""Longest time to wait for an answer, in s: that of a resolver of the system (resolv.conf(5))."""


def look_up(name: str, clock: Clock, journal: Journal) -> None:
    """Ask the name server for the IPv4 address of a name once (RFC 1035, section 4), and journal what it answers.

    Args:
        name: the name.
        clock: the clock for the line.
        journal: where the line goes.
    """
    query = dns.message.make_query(name, dns.rdatatype.A)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("", 0))
        sock.setblocking(False)
        port, at_ns = sock.getsockname()[1], clock.now_ns()
        try:
            answer = dns.query.udp(query, BROKER.ip, TIMEOUT_S, DNS_PORT, sock=sock)
            found = " ".join(str(record) for records in answer.answer for record in records)
        except (dns.exception.DNSException, OSError):
            found = ""
    journal.write(LookupLine(name, query.id, port, at_ns, found))
