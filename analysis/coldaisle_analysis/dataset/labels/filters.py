"""Capture filters, compiled by libpcap (pcap-filter(7)), over the frames of a file."""

import ctypes
from functools import cache
from pathlib import Path

import numpy as np

from coldaisle_analysis.arrays import Mask
from coldaisle_analysis.decoding import files
from coldaisle_contracts.errors import InputError

_NAMES = ("libpcap.so.0.8", "libpcap.so.1", "libpcap.so")
_SNAPLEN, _ETHERNET, _UNKNOWN_MASK = 262_144, 1, 0xFFFFFFFF


class _Program(ctypes.Structure):
    """``struct bpf_program``."""

    _fields_ = (("length", ctypes.c_uint), ("instructions", ctypes.c_void_p))


class _Header(ctypes.Structure):
    """``struct pcap_pkthdr``."""

    _fields_ = (
        ("seconds", ctypes.c_long),
        ("microseconds", ctypes.c_long),
        ("captured", ctypes.c_uint32),
        ("length", ctypes.c_uint32),
    )


class Filter:
    """A capture filter.

    Args:
        text: the filter.

    Raises:
        ValueError: if it is no filter, in libpcap's own words.
        InputError: if libpcap is not installed.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._programs = {_ETHERNET: _compiled(text, _ETHERNET)}

    def matches(self, pcap: Path) -> Mask:
        """Return which frames of a capture it matches, shape (frames,).

        Raises:
            InputError: if the capture cannot be read, or has a link layer for which the filter has no meaning.
        """
        room, parts, header = files.new_room(), [np.empty(0, np.bool_)], _Header()
        base = room.data.ctypes.data
        for count in files.blocks(pcap, room):
            columns = (
                getattr(room.index, name)[:count].tolist() for name in ("start", "length", "wire", "link")
            )
            matched = np.zeros(count, np.bool_)
            for at, (start, captured, wire, link) in enumerate(zip(*columns, strict=True)):
                header.captured, header.length = captured, wire
                matched[at] = _library().pcap_offline_filter(
                    ctypes.byref(self._program(link, pcap)), ctypes.byref(header), base + start
                )
            parts.append(matched)
        return np.concatenate(parts)

    def _program(self, link: int, pcap: Path) -> _Program:
        if link not in self._programs:
            try:
                self._programs[link] = _compiled(self._text, link)
            except ValueError as error:
                raise InputError(f"{pcap}: filter", f"{error} for link type {link}", self._text) from error
        return self._programs[link]


def _compiled(text: str, link: int) -> _Program:
    library, program = _library(), _Program()
    handle = library.pcap_open_dead(link, _SNAPLEN)
    try:
        if library.pcap_compile(handle, ctypes.byref(program), text.encode(), 1, _UNKNOWN_MASK):
            raise ValueError(
                f"is no capture filter ({library.pcap_geterr(handle).decode()}): see pcap-filter(7)"
            )
    finally:
        library.pcap_close(handle)
    return program


@cache
def _library() -> ctypes.CDLL:
    for name in _NAMES:
        try:
            library = ctypes.CDLL(name)
        except OSError:
            continue
        library.pcap_open_dead.restype = ctypes.c_void_p
        library.pcap_close.argtypes = [ctypes.c_void_p]
        library.pcap_geterr.argtypes, library.pcap_geterr.restype = [ctypes.c_void_p], ctypes.c_char_p
        library.pcap_compile.argtypes = [
            ctypes.c_void_p,
            ctypes.c_void_p,
            ctypes.c_char_p,
            ctypes.c_int,
            ctypes.c_uint32,
        ]
        library.pcap_offline_filter.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
        return library
    raise InputError(
        "filter", "libpcap is not installed: apt-get install libpcap0.8, or leave the column out"
    )
