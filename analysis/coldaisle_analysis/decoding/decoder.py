"""The decoder: it reads captures block by block and needs the same memory whatever their size."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from coldaisle_analysis.decoding import arrays, batches, files, framing, kernel, outlook, state, unread
from coldaisle_analysis.decoding.arrow import copied
from coldaisle_analysis.decoding.batches import Batch
from coldaisle_analysis.decoding.views import View
from coldaisle_contracts.addressing import MQTT_PORT

_LIVE = "live"
_MARGIN = 2 * kernel.MOST_BYTES
_REMARKS = {
    "malformed": "frames are malformed; column malformed says how",
    "gaps": "holes in connections were given up: segments are missing from the capture",
    "unread": "segments behind holes are unread: nothing filled or acknowledged the holes until the connection or the capture ended",
    "refused": "segments ahead of their stream are unread: they acknowledge bytes never sent, so that their receiver drops them",
    "fragments": "fragments of IP datagrams are unread: others of the same datagram are missing",
    "set_back": "frames have a time before that of their flow's last frame: the capture's clock was set back, and durations count it as that one",
    "untimed": "frames have no time: Simple Packet Blocks hold none",
    "overflows": f"holes were given up early: more than {state.EARLY >> 10} KiB waited behind them, or the room for all was used up",
    "encrypted": "connections are encrypted (TLS); the MQTT in them cannot be read",
    "compressed": "WebSocket frames are compressed (permessage-deflate), and the MQTT in them is not read: switch that extension off "
    "in the client or the broker",
    "unversioned": "connections began before the capture, and what they say first shows no version of MQTT: it is read as 3.1.1 "
    "(`--mqtt-version 5` reads it as 5)",
    "unknown_topics": "messages have a topic alias that was given before the capture, or in a hole; their topic is missing",
    "cut_messages": f"messages are longer than {state.LONGEST >> 20} MiB; the rest of their payload is left out",
    "forgotten_flows": f"flows were forgotten: there were more than {state.FLOWS:,} at a time; their later frames count as new flows",
    "forgotten_hosts": f"times an address was not watched for a change of MAC: there were more than {state.HOSTS:,} addresses",
}
"""Meaning of each counter of :data:`tally.TALLY` for a reader."""


@dataclass
class Decoder:
    """Decodes captures, and remembers all connections from one capture to the next.

    Args:
        port: TCP port of MQTT, or several; port 9001 is always taken for MQTT over WebSocket.
        frames: the most frames in a batch.
        size: the most bytes in a block.
        flows: the most flows known at a time.
        version: protocol level of MQTT where a capture starts within a connection: 3, 4 or 5; 0 lets its packets show it.

    Examples:
        >>> from pathlib import Path
        >>> (batch,) = Decoder().decode([Path("site.pcapng")])
        >>> batch.packets.num_rows, batch.messages.num_rows
        (271, 162)
    """

    port: int | Sequence[int] = MQTT_PORT
    frames: int = files.FRAMES
    size: int = files.BYTES
    flows: int = state.FLOWS
    version: int = 0

    def __post_init__(self) -> None:
        self._ports = np.zeros(1 << 16, np.int8)
        self._ports[framing.WEBSOCKET_PORT] = framing.WEBSOCKET
        self._ports[np.atleast_1d(self.port)] |= framing.MQTT
        self._room = files.new_room(self.frames, self.size)
        block = len(self._room.data) + _MARGIN
        self._carried = state.new(block, self.flows, self.version)
        self._columns = [
            (arrays.new_rows(self.frames, 3 * block), arrays.new_messages(2 * kernel.MOST_MESSAGES, block))
            for _ in range(2)
        ]

    def decode(
        self, paths: Sequence[Path], shards: Sequence[int] | None = None, *, reuse: bool = False
    ) -> Iterator[Batch]:
        """Decode captures, in order of time.

        Args:
            paths: the captures.
            shards: number of each capture's shard; flows never cross shards.
            reuse: let each batch overwrite the last but one, which the caller must not use any more.

        Raises:
            InputError: if a capture cannot be read; the batches before the error are yielded first.

        Examples:
            >>> batches = Decoder(port=8883).decode([Path("site.pcapng")])  # nothing is MQTT on this port
            >>> sum(batch.messages.num_rows for batch in batches)
            0
        """
        for decoded in map(batches.batch, self.views(paths, shards)):
            yield decoded if reuse else Batch(copied(decoded.packets), copied(decoded.messages))

    def views(self, paths: Sequence[Path], shards: Sequence[int] | None = None) -> Iterator[View]:
        """Decode captures as :meth:`decode` does, but yield the kernel's own arrays.

        Examples:
            >>> (view,) = Decoder().views([Path("site.pcapng")])
            >>> view.frames, view.published.payload[0]
            (271, b'14.00')
        """
        for number, (path, shard) in enumerate(zip(paths, shards or [0] * len(paths), strict=True), 1):
            before = int(self._carried.tally[0]["frames"])
            for count in files.blocks(path, self._room, is_last=number == len(paths)):
                yield from self._block(path.name, before, count, shard)

    def take(self, frames: Sequence[tuple[int, bytes]], shard: int = 0) -> Iterator[View]:
        """Decode Ethernet frames that are in memory, in order of time.

        Args:
            frames: time, in ns since the epoch, and bytes of each; their file is called ``live``.
            shard: number of the shard; flows never cross shards.

        Raises:
            ValueError: if there is no room for all of them.

        Examples:
            >>> addresses = "ffffffffffff 02000000000d", "02000000000d 0a063829 000000000000 0a063801"
            >>> request = bytes.fromhex("0806 0001 0800 0604 0001".join(addresses))  # ARP
            >>> (view,) = Decoder().take([(0, request)])
            >>> view.texts("protocol")[0], view.texts("arp_src_ip")[0]
            ('ARP', '10.6.56.41')
        """
        before = int(self._carried.tally[0]["frames"])
        yield from self._block(_LIVE, before, files.fill(self._room, frames), shard)

    @property
    def gaps(self) -> int:
        """How many holes in TCP streams were given up so far.

        Examples:
            >>> Decoder().gaps
            0
        """
        return int(self._carried.tally[0]["gaps"])

    def remarks(self) -> Iterator[str]:
        """Yield a sentence for each flaw or limit that the frames so far met.

        Examples:
            >>> decoder = Decoder()
            >>> (view,) = decoder.take([(0, bytes(9))])
            >>> list(decoder.remarks())
            ['1 frames are malformed; column malformed says how']
        """
        counts = {name: int(self._carried.tally[0][name]) for name in _REMARKS}
        waiting = self._carried.sides["early_count"]
        counts["unread"] += int(waiting[: 2 * self._carried.tally[0]["used_flows"]].sum())
        counts["fragments"] += int(waiting[-state.DATAGRAMS :].sum())
        for name, meaning in _REMARKS.items():
            if counts[name]:
                yield f"{counts[name]:,} {meaning}"
        yield from unread.remarks(self._carried)

    def _block(self, name: str, before: int, count: int, shard: int) -> Iterator[View]:
        """Decode the frames of a block: in one view, or in several when a column is full before the end.

        Frames that take a look at others behind the block are left for the next one, and so are too few for a whole batch.
        """
        done, goes_on = 0, self._room.horizon == outlook.ASK
        while done < count and not self._room.left:
            view = self._view(name, before, done, count, shard)
            done += view.frames
            if self._carried.tally[0]["asks"] or (goes_on and count - done < self.frames):
                self._room.left = count - done
            if view.frames:
                self._columns.reverse()
                yield view

    def _view(self, name: str, before: int, first: int, count: int, shard: int) -> View:
        state.start_batch(self._carried)
        all_before = int(self._carried.tally[0]["frames"])
        rows, messages = self._columns[0]
        frames = kernel.load()(
            self._room.data,
            self._room.index,
            first,
            count,
            self._room.horizon,
            self._ports,
            shard,
            rows,
            messages,
            self._carried,
        )
        return View(
            rows,
            messages,
            frames,
            int(self._carried.tally[0]["messages"]),
            self._room.index.time_ns[first : first + frames].copy(),
            (name, all_before - before, all_before),
            batches.dictionaries(self._carried),
        )
