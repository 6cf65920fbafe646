"""TCP connections: which flow a segment belongs to, and where a SYN starts a new one.

A flow starts at a SYN with a new sequence number on its pair of addresses and ports. But a SYN may be forged, or come from a device that
restarted. Its receiver answers it with an acknowledgement of the living connection, which goes on (RFC 9293, 3.10.7.4; RFC 5961, 4.2). So the
older flow is kept until the newer one is answered, and segments go to the one that they fit.
"""

from coldaisle_analysis.compiled import inner
from coldaisle_analysis.decoding.fields import ahead
from coldaisle_analysis.decoding.flows import begin, finish, free_place, is_equal, put, retire, touch
from coldaisle_analysis.decoding.state import Carried
from coldaisle_analysis.decoding.transport import ACK, RST, SYN

_NONE = -1
_MASK = 0xFFFFFFFF
_NEAR = 1 << 20
"""How far, in bytes, a segment may lie from a SYN to count as the first of its connection."""


@inner
def connection(carried: Carried, at: int, seq: int, ack: int, flags: int, low_first: bool) -> int:
    """Return the place of the connection that a segment belongs to, which a SYN may begin.

    Args:
        carried: the state.
        at: place of the newest flow with its addresses and ports.
        seq: sequence number.
        ack: acknowledgement number.
        flags: TCP flags.
        low_first: whether its source is the lower end.
    """
    flow = carried.flows[at]
    older = _older(carried, at) if flow.unproven else _NONE
    if flags & (SYN | ACK) == SYN:
        return _opened(carried, at, older, seq, low_first)
    if older < 0:
        return at
    from_opener = flow.low_first == low_first
    if not _fits(carried, at, older, seq if from_opener else ack, from_opener or flags & ACK != 0):
        touch(carried, older)
        return older
    heard = carried.sides[2 * older + int(carried.flows[older].low_first != flow.low_first)].packets > 0
    if not flags & RST and not (from_opener and heard):
        retire(carried, older)
        flow.unproven = 0
    return at


@inner
def _fits(carried: Carried, at: int, older: int, position: int, comparable: bool) -> bool:
    """Tell whether a place in the stream of the SYN's sender is nearer to that SYN than to the end of the older connection."""
    reached = int(
        carried.sides[2 * older + int(carried.flows[older].low_first == carried.flows[at].low_first)].reached
    )
    distance = abs(ahead(position, (carried.flows[at].opened + 1) & _MASK))
    return comparable and distance <= _NEAR and (reached < 0 or distance < abs(ahead(position, reached)))


@inner
def _older(carried: Carried, at: int) -> int:
    """Return the place of the flow with the same addresses and ports that was there before, -1 for none."""
    key = carried.flows[at].key
    older = int(carried.flows[at].chain)
    while older >= 0:
        if is_equal(carried.flows[older].key, key):
            break
        older = int(carried.flows[older].chain)
    return older


@inner
def _opened(carried: Carried, at: int, older: int, seq: int, low_first: bool) -> int:
    """Return the place of the flow that a SYN belongs to: that of an equal SYN, or else a new one."""
    if _has_syn(carried, at, seq, low_first):
        return at
    if older >= 0 and _has_syn(carried, older, seq, low_first):
        return older
    flow = carried.flows[at]
    if older >= 0:
        finish(carried, at)
        begin(carried, at, low_first)
        flow.unproven = 1
    elif flow.packets > 0:
        new = free_place(carried)
        for part in range(5):
            carried.flows[new].key[part] = flow.key[part]
        put(carried, new, int(flow.bucket), low_first)
        carried.flows[new].unproven = 1
        at = new
    carried.flows[at].opened = seq
    return at


@inner
def _has_syn(carried: Carried, at: int, seq: int, low_first: bool) -> bool:
    """Tell whether a SYN is that of a flow: its own sent again, or come late, behind the first byte it announces."""
    flow = carried.flows[at]
    side = carried.sides[2 * at + int(flow.low_first == low_first)]
    if flow.opened < 0 and side.first == (seq + 1) & _MASK:
        flow.opened = seq
    return bool(flow.opened == seq)
