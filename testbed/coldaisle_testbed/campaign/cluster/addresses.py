"""Addresses of schedulers and workers: who reaches such a port may run any program, so it is on loopback or behind TLS."""

import ipaddress
from urllib.parse import urlsplit

from coldaisle_contracts.errors import InputError

LOCAL = "local"
"""The word that stands for a scheduler and workers of one's own on this machine."""
_PLAIN, _TLS = "tcp", "tls"
_REMEDY = (
    "whoever reaches this port may run any program: use a port on 127.0.0.1 that SSH forwards, or tls://"
)


def checked(address: str, option: str = "--scheduler") -> str:
    """Return the address of a scheduler or worker that may be used; the word ``local`` may.

    Raises:
        InputError: if it is no such address, or is neither on loopback nor behind TLS.
    """
    if address == LOCAL:
        return address
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or not port or parts.scheme not in (_PLAIN, _TLS):
        raise InputError(option, f"write {_PLAIN}://HOST:PORT, {_TLS}://HOST:PORT or {LOCAL}", address)
    if parts.scheme == _PLAIN and not _is_loopback(host):
        raise InputError(option, _REMEDY, address)
    return address


def _is_loopback(host: str) -> bool:
    """Tell whether a host is this machine by its name or number; no name is looked up, because an answer may change."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
