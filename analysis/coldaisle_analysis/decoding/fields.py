"""Numbers out of bytes: big-endian, as the protocols of this package write them."""

import numpy as np

from coldaisle_analysis.arrays import Bytes
from coldaisle_analysis.compiled import inner


@inner
def u8(data: Bytes, at: int) -> int:
    """Return the byte at an offset, as a signed number: numba turns mixed signs into fractions."""
    return int(np.int64(data[at]))


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
    """Return the 64-bit number at an offset, its first bit as a sign: half an IPv6 address."""
    return u32(data, at) << 32 | u32(data, at + 4)


@inner
def ahead(seq: int, other: int) -> int:
    """Return how far a sequence number lies ahead of another, bytes, across the wrap at 2^32 (RFC 9293, 3.4)."""
    return ((seq - other + 0x80000000) & 0xFFFFFFFF) - 0x80000000
