"""Requests of the status page."""

import socket
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException

from coldaisle_contracts.addressing import BROKER
from coldaisle_contracts.background import HTTP_PORT, PATH
from coldaisle_contracts.clock import Clock
from coldaisle_contracts.journal import Journal
from coldaisle_contracts.journal_lines import FetchLine

TIMEOUT_S = 10.0
"""Longest time to wait for the server, in s."""


def fetch(clock: Clock, journal: Journal) -> None:
    """Request the status page on a connection of its own (RFC 9110, GET), and journal the status of the answer.

    Args:
        clock: the clock for the line.
        journal: where the line goes.
    """
    status = 0
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        sock.settimeout(TIMEOUT_S)
        sock.bind(("", 0))
        port, at_ns = sock.getsockname()[1], clock.now_ns()
        connection = HTTPConnection(BROKER.ip, HTTP_PORT)
        with closing(connection), suppress(HTTPException, OSError):
            sock.connect((BROKER.ip, HTTP_PORT))
            connection.sock = sock
            connection.request("GET", PATH)
            answer = connection.getresponse()
            answer.read()
            status = answer.status
    journal.write(FetchLine(PATH, port, at_ns, status))
