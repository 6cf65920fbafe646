"""Translation of sequence numbers, checked with a receiver that is simulated byte by byte."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from coldaisle_injector.translation import Direction, ahead

_SPACE = 2**32
_ISN = st.one_of(st.integers(0, _SPACE - 1), st.integers(_SPACE - 60, _SPACE - 1))


@dataclass(frozen=True)
class _Piece:
    """A message as it was sent and as it is received; an insertion was never sent."""

    sent: bytes
    delivered: bytes

    @property
    def edited(self) -> bool:
        return len(self.sent) != len(self.delivered)


_PIECES = st.lists(
    st.one_of(
        st.builds(_Piece, st.binary(min_size=1, max_size=9), st.binary(max_size=9)),
        st.builds(_Piece, st.just(b""), st.binary(min_size=1, max_size=9)),
        st.binary(min_size=1, max_size=9).map(lambda data: _Piece(data, data)),
    ),
    max_size=12,
)


def _play(isn: int, pieces: list[_Piece]) -> tuple[Direction, dict[int, bytes]]:
    """Send every piece through a translated direction; return the direction and the received bytes by their offset in the stream."""
    direction, seq, arrived = Direction(), isn, dict[int, bytes]()
    for piece in pieces:
        arrived_at = (direction.outward(seq) - isn) % _SPACE
        direction.edit(seq, len(piece.sent), len(piece.delivered))
        if piece.delivered:
            arrived[arrived_at] = piece.delivered
        seq = (seq + len(piece.sent)) % _SPACE
    return direction, arrived


@given(_ISN, _PIECES)
def test_receiver_gets_the_edited_stream(isn: int, pieces: list[_Piece]) -> None:
    """The receiver's stream is the edited one without a hole or an overlap, also across 2^32."""
    _, arrived = _play(isn, pieces)
    stream = b""
    for at in sorted(arrived):
        assert at == len(stream)
        stream += arrived[at]
    assert stream == b"".join(piece.delivered for piece in pieces)


@given(_ISN, _PIECES)
def test_retransmission_lands_where_the_original_did(isn: int, pieces: list[_Piece]) -> None:
    """A message sent again after later edits gets its first sequence number."""
    direction, seq, expected = _play(isn, pieces)[0], isn, isn
    for piece in pieces:
        if piece.sent:
            assert direction.outward(seq) == expected
        seq, expected = (seq + len(piece.sent)) % _SPACE, (expected + len(piece.delivered)) % _SPACE


@given(_ISN, _PIECES)
def test_acknowledgements_translate_back(isn: int, pieces: list[_Piece]) -> None:
    """Each acknowledgement covers every message that the receiver has whole, and no part of an edit that it has in part."""
    direction, _ = _play(isn, pieces)
    total = sum(len(piece.delivered) for piece in pieces)
    for offset in range(total + 1):
        ack = direction.inward((isn + offset) % _SPACE)
        assert ack == (isn + _acknowledged(pieces, offset)) % _SPACE


def _acknowledged(pieces: list[_Piece], received: int) -> int:
    """Return how many bytes of the sender's stream are acknowledged when the receiver has this many of the edited stream."""
    at = 0
    for piece in pieces:
        if len(piece.delivered) > received:
            return at + (0 if piece.edited else received)
        received -= len(piece.delivered)
        at += len(piece.sent)
    return at


@given(st.integers(0, _SPACE - 1), st.integers(-(2**31) + 1, 2**31 - 1))
def test_ahead_is_signed_distance_modulo_the_space(start: int, distance: int) -> None:
    """Distances of up to half the sequence space are returned with their sign."""
    assert ahead((start + distance) % _SPACE, start) == distance
