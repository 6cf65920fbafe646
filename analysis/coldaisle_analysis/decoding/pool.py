"""A pool of chunks for bytes that outlive their block: partial messages, early segments and client ids.

The pool is at the front of the block's own array (see :mod:`files`), so that all code reads from one array.
"""

from coldaisle_analysis.arrays import Bytes
from coldaisle_analysis.compiled import inner
from coldaisle_analysis.decoding.records import LARGEST
from coldaisle_analysis.decoding.state import CHUNK, CHUNKS, LONGEST, Carried

NONE = -1
SCRATCH = CHUNK * CHUNKS
"""Offset behind the pool where a message of several chunks is put together."""
PIECE = SCRATCH + LONGEST + CHUNK
"""Offset behind that where an early segment is put together."""
NAME = PIECE + LARGEST + CHUNK
"""Offset behind that where a client id is put together."""
DATAGRAM = NAME + (1 << 16) + CHUNK
"""Offset behind that where a datagram is put together from its fragments."""
BLOCK = DATAGRAM + (1 << 16) + CHUNK
"""Offset behind that where the block starts."""


@inner
def take(carried: Carried) -> int:
    """Return an unused chunk, -1 when all are in use."""
    tally = carried.tally[0]
    chunk = tally.free_chunk
    if chunk >= 0:
        tally.free_chunk = carried.chunk_next[chunk]
    elif tally.fresh_chunk < len(carried.chunk_next):
        chunk = tally.fresh_chunk
        tally.fresh_chunk += 1
    else:
        return NONE
    carried.chunk_next[chunk] = NONE
    return int(chunk)


@inner
def release(carried: Carried, head: int) -> None:
    """Release a chain of chunks."""
    tally = carried.tally[0]
    chunk = head
    while chunk >= 0:
        following = carried.chunk_next[chunk]
        carried.chunk_next[chunk] = tally.free_chunk
        tally.free_chunk = chunk
        chunk = following


@inner
def store(carried: Carried, data: Bytes, at: int, end: int) -> int:
    """Copy bytes into a new chain and return its first chunk, -1 when there is no room or nothing to copy."""
    head = tail = NONE
    while at < end:
        chunk = take(carried)
        if chunk < 0:
            release(carried, head)
            return NONE
        if head < 0:
            head = chunk
        else:
            carried.chunk_next[tail] = chunk
        tail = chunk
        size = min(CHUNK, end - at)
        for index in range(size):
            data[chunk * CHUNK + index] = data[at + index]
        at += size
    return head


@inner
def fetch(carried: Carried, data: Bytes, head: int, length: int, to: int) -> None:
    """Copy the bytes of a chain, one chunk after the other, to an offset."""
    chunk, done = head, 0
    while chunk >= 0 and done < length:
        size = min(CHUNK, length - done)
        for index in range(size):
            data[to + done + index] = data[chunk * CHUNK + index]
        done += size
        chunk = carried.chunk_next[chunk]
