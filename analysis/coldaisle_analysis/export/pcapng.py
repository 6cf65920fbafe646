"""Format ``pcapng``: the captures of a run with the label of each frame as its comment.

Wireshark shows the comment with the frame and filters by it: ``frame.comment contains "kind=modification"``. The secrets of TLS are
in the file, too, so Wireshark opens it decrypted. The blocks are
written here (draft-ietf-opsawg-pcapng). ``editcap -a`` is as fast, but takes each comment as an argument of its own: the
busiest day of a week has half a megabyte of comments, a quarter of the limit of Linux, and a flood has more.
"""

import struct
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np

from coldaisle_analysis.decoding import captures
from coldaisle_analysis.export.source import Source
from coldaisle_analysis.export.verdicts import Verdict, verdicts
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.listeners import KEY_LOG

_SECTION, _INTERFACE, _PACKET, _SECRETS = 0x0A0D0D0A, 1, 6, 10
_KEY_LOG = 0x544C534B
"""Type of the secrets in a key log of TLS."""
_BYTE_ORDER = 0x1A2B3C4D
_END, _COMMENT, _APPLICATION, _RESOLUTION = 0, 1, 4, 9
"""Option codes; the application belongs to the section, the resolution to the interface."""
_ETHERNET, _NANOSECONDS = 1, 9
_UNKNOWN_LENGTH = -1


def write(source: Source, folder: Path) -> None:
    """Write each capture ``NAME.pcap`` as ``NAME.pcapng``.

    Raises:
        InputError: if a capture is not the one that the dataset was made from.
    """
    packets = source.packets
    labels = verdicts(source, packets)
    names = packets["file"].astype("object").to_numpy()
    edges = [0, *(np.flatnonzero(names[1:] != names[:-1]) + 1).tolist(), len(names)]
    for first, last in pairwise(edges):
        path = source.run / "capture" / names[first]
        frames = captures.read([path])
        if len(frames) != last - first:
            raise InputError(
                path, f"holds {len(frames)} frames, but the dataset has {last - first} of it: verify the run"
            )
        (folder / f"{path.stem}.pcapng").write_bytes(b"".join(_blocks(source, frames, labels[first:last])))


def comment(verdict: Verdict, steps: Mapping[str, tuple[str, int]]) -> str:
    """Return the comment of a frame, such as ``label=attack kind=removal episode=e03 role=injected technique=T0804``.

    Args:
        verdict: the labels of the frame.
        steps: chain and step by episode; a frame of one of these has ``chain=break-in step=2``, too.
    """
    chain, step = steps.get(verdict.episode, ("", 0))
    facts = {**verdict._asdict(), "chain": chain, "step": step}
    return " ".join(f"{name}={value}" for name, value in facts.items() if value)


def _blocks(source: Source, frames: captures.Frames, labels: Iterable[Verdict | None]) -> Iterator[bytes]:
    manifest = source.manifest
    about = f"run {manifest.id}: scenario {manifest.scenario}, seed {manifest.seed}; times are virtual"
    application = f"coldaisle {manifest.versions.get('coldaisle', '')}".strip()
    section = struct.pack("<IHHq", _BYTE_ORDER, 1, 0, _UNKNOWN_LENGTH)
    yield _block(_SECTION, section + _options((_COMMENT, about), (_APPLICATION, application)))
    resolution = struct.pack("<HHB3x", _RESOLUTION, 1, _NANOSECONDS)
    yield _block(_INTERFACE, struct.pack("<HHI", _ETHERNET, 0, 0) + resolution + _options())
    keys = source.run / "capture" / KEY_LOG
    if keys.exists():
        secrets = keys.read_bytes()
        yield _block(_SECRETS, struct.pack("<II", _KEY_LOG, len(secrets)) + _padded(secrets))
    steps = source.plan.steps
    written = {verdict: _options((_COMMENT, comment(verdict, steps))) for verdict in set(labels) if verdict}
    times = zip(frames.time_ns.tolist(), frames.wire_length.tolist(), labels, strict=True)
    for index, (time_ns, wire, verdict) in enumerate(times):
        data = frames.frame(index)
        head = struct.pack("<IIIII", 0, time_ns >> 32, time_ns & 0xFFFFFFFF, len(data), wire)
        yield _block(_PACKET, head + _padded(data) + (written[verdict] if verdict else b""))


def _block(kind: int, body: bytes) -> bytes:
    length = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + length + body + length


def _options(*texts: tuple[int, str]) -> bytes:
    """Return options with text values, followed by the end option."""
    values = [(code, text.encode()) for code, text in texts]
    encoded = (struct.pack("<HH", code, len(value)) + _padded(value) for code, value in values)
    return b"".join(encoded) + struct.pack("<HH", _END, 0)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
