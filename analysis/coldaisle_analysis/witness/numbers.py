"""The numbers that a kernel gives to the packets of a connection (IPv4 identification), one by one."""

from dataclasses import dataclass, field

_OVERTAKEN = 8
"""The most packets of a connection that one may overtake."""


@dataclass
class Numbers:
    """The numbers of the packets of one direction. A host sends from several processors, so within microseconds packets can overtake each other.

    Attributes:
        greatest: the greatest number so far, counted on beyond 65,535; -1 before the first.
        overtaken: numbers below it that are still to come.
    """

    greatest: int = -1
    overtaken: set[int] = field(default_factory=set)

    def follows(self, number: int) -> bool:
        """Tell whether a packet's number is the next one, or close to it; 0 is also that of an answer without a socket."""
        if self.greatest < 0:
            self.greatest = number or -1
            return True
        counted = self.greatest + ((number - self.greatest + 0x8000) & 0xFFFF) - 0x8000
        if counted in self.overtaken:
            self.overtaken.discard(counted)
        elif self.greatest < counted <= self.greatest + _OVERTAKEN:
            self.overtaken.update(range(self.greatest + 1, counted))
            self.greatest = counted
        else:
            return not number
        return True

    @property
    def lost(self) -> list[int]:
        """The numbers that were overtaken and did not come, as packets have them."""
        return [number & 0xFFFF for number in sorted(self.overtaken)]
