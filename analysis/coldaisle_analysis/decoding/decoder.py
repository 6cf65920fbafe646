"""Decoding captures block by block: the same memory whatever their size."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from coldaisle_analysis.decoding import arrays, batches, files, kernel, state
from coldaisle_analysis.decoding.arrow import copied
from coldaisle_analysis.decoding.batches import Batch
from coldaisle_contracts.addressing import MQTT_PORT

_AT_HAND = Path("live")
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
        for path, shard in zip(paths, shards or [0] * len(paths), strict=True):
            before = int(self._carried.tally[0]["frames"])
            for count in files.blocks(path, self._room):
                done = 0
                while done < count:
                    batch, rows = self._batch(path, before, done, count, shard)
                    done += rows
                    yield batch if reuse else Batch(copied(batch.packets), copied(batch.messages))

    def take(self, frames: Sequence[tuple[int, bytes]], shard: int = 0) -> Iterator[Batch]:
        """Decode Ethernet frames that are at hand, each with its time, ns since the epoch, in order of time.

        Args:
            frames: time and bytes of each; they lie in the file ``live``.
            shard: number of the shard; flows never cross shards.

        Raises:
            ValueError: if there is no room for all of them.
        """
        before = int(self._carried.tally[0]["frames"])
        count = files.fill(self._room, frames)
        done = 0
        while done < count:
            batch, rows = self._batch(_AT_HAND, before, done, count, shard)
            done += rows
            yield batch

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

    def _batch(self, path: Path, before: int, first: int, count: int, shard: int) -> tuple[Batch, int]:
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
        time_ns = self._room.index.time_ns[first : first + rows].copy()
        words = batches.dictionaries(self._carried)
        found = int(self._carried.tally[0]["messages"])
        place = (path.name, all_before - before, all_before)
        return Batch(
            batches.packets(self._rows, rows, time_ns, place, words),
            batches.messages(self._messages, found, all_before + 1, time_ns, words),
        ), rows
