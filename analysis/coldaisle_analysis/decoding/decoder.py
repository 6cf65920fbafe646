"""Decoding captures block by block: the same memory whatever their size."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from coldaisle_analysis.decoding import arrays, batches, files, kernel, state
from coldaisle_analysis.decoding.arrow import copied
from coldaisle_analysis.decoding.batches import Batch
from coldaisle_analysis.decoding.views import View
from coldaisle_contracts.addressing import MQTT_PORT

_AT_HAND = "live"
_MARGIN = 2 * kernel.MOST_BYTES
_REMARKS = {
    "malformed": "frames are malformed; column malformed says how",
    "gaps": "holes in connections were given up: segments are missing from the capture",
    "overflows": f"holes were given up early: more than {state.EARLY >> 10} KiB waited behind them, or the room for all was used up",
    "cut_messages": f"messages are longer than {state.LONGEST >> 20} MiB; the rest of their payload is left out",
    "forgotten_flows": f"flows were forgotten: more than {state.FLOWS:,} at a time; what came of them later is a new flow",
    "forgotten_hosts": f"times an address was not watched for a change of MAC: more than {state.HOSTS:,} spoke",
}
"""Counter of :data:`state.TALLY` → what it means for a reader."""


@dataclass
class Decoder:
    """What is known of all connections so far, and room for a batch.

    Args:
        port: TCP port of MQTT.
        frames: frames of a batch, at most.
        size: bytes of a block, at most.
        flows: flows known at a time.
    """

    port: int = MQTT_PORT
    frames: int = files.FRAMES
    size: int = files.BYTES
    flows: int = state.FLOWS

    def __post_init__(self) -> None:
        self._room = files.new_room(self.frames, self.size)
        block = len(self._room.data) + _MARGIN
        self._carried = state.new(block, self.flows)
        self._rows = arrays.new_rows(self.frames, 3 * block)
        self._messages = arrays.new_messages(2 * kernel.MOST_MESSAGES, block)

    def decode(
        self, paths: Sequence[Path], shards: Sequence[int] | None = None, *, reuse: bool = False
    ) -> Iterator[Batch]:
        """Decode captures, in order of time.

        Args:
            paths: the captures.
            shards: number of each one's shard; flows never cross shards.
            reuse: let each batch write over the one before, which must have been done with.

        Raises:
            InputError: if one cannot be read, after the batches before.
        """
        for found in map(batches.batch, self.views(paths, shards)):
            yield found if reuse else Batch(copied(found.packets), copied(found.messages))

    def views(self, paths: Sequence[Path], shards: Sequence[int] | None = None) -> Iterator[View]:
        """Decode captures as :meth:`decode` does, but leave what the kernel wrote as it is."""
        for path, shard in zip(paths, shards or [0] * len(paths), strict=True):
            before = int(self._carried.tally[0]["frames"])
            for count in files.blocks(path, self._room):
                yield from self._block(path.name, before, count, shard)

    def take(self, frames: Sequence[tuple[int, bytes]], shard: int = 0) -> Iterator[View]:
        """Decode Ethernet frames that are at hand, each with its time, ns since the epoch, in order of time.

        Args:
            frames: time and bytes of each; they lie in the file ``live``.
            shard: number of the shard; flows never cross shards.

        Raises:
            ValueError: if there is no room for all of them.
        """
        before = int(self._carried.tally[0]["frames"])
        yield from self._block(_AT_HAND, before, files.fill(self._room, frames), shard)

    @property
    def gaps(self) -> int:
        """Holes given up so far."""
        return int(self._carried.tally[0]["gaps"])

    def remarks(self) -> Iterator[str]:
        """Yield a sentence for each thing about the frames so far that a reader should know."""
        tally = self._carried.tally[0]
        for name, what in _REMARKS.items():
            if tally[name]:
                yield f"{tally[name]:,} {what}"

    def _block(self, name: str, before: int, count: int, shard: int) -> Iterator[View]:
        """Decode the frames of a block: at once, unless one of the columns is full before."""
        done = 0
        while done < count:
            view = self._view(name, before, done, count, shard)
            done += view.frames
            yield view

    def _view(self, name: str, before: int, first: int, count: int, shard: int) -> View:
        state.start_batch(self._carried)
        all_before = int(self._carried.tally[0]["frames"])
        rows = kernel.load()(
            self._room.data,
            self._room.index,
            first,
            count,
            self.port,
            shard,
            self._rows,
            self._messages,
            self._carried,
        )
        return View(
            self._rows,
            self._messages,
            rows,
            int(self._carried.tally[0]["messages"]),
            self._room.index.time_ns[first : first + rows].copy(),
            (name, all_before - before, all_before),
            batches.dictionaries(self._carried),
        )
