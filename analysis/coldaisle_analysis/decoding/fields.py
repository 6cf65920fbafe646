"""Big-endian numbers at an offset in bytes, as network protocols write them."""

import numpy as np

from coldaisle_analysis.arrays import Bytes
from coldaisle_analysis.compiled import inner


@inner
def u8(data: Bytes, at: int) -> int:
    """Return the byte at an offset as a signed number, because numba turns mixed signs into floats."""
    return int(np.int64(data[np.uint64(at)]))


@inner
def u16(data: Bytes, at: int) -> int:
    """Return the 16-bit number at an offset."""
    return u8(data, at) << 8 | u8(data, at + 1)


@inner
def u32(data: Bytes, at: int) -> int:
    """Return the 32-bit number at an offset."""
    return u16(data, at) << 16 | u16(data, at + 2)


@inner
def u48(data: Bytes, at: int) -> int:
    """Return the 48-bit number at an offset: a MAC address."""
    return u16(data, at) << 32 | u32(data, at + 2)


@inner
def i64(data: Bytes, at: int) -> int:
    """Return the signed 64-bit number at an offset: half an IPv6 address."""
    return u32(data, at) << 32 | u32(data, at + 4)


@inner
def ahead(seq: int, other: int) -> int:
    """Return how far a sequence number is ahead of another, in bytes, across the wrap at 2^32 (RFC 9293, 3.4)."""
    return ((seq - other + 0x80000000) & 0xFFFFFFFF) - 0x80000000
