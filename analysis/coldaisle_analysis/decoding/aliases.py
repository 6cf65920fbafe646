"""Topic aliases of MQTT 5: numbers that stand for topics, in one direction of a connection (OASIS 2019, 3.3.2.3.4)."""

from coldaisle_analysis.arrays import Bytes
from coldaisle_analysis.compiled import inner
from coldaisle_analysis.decoding.dictionaries import spread, text
from coldaisle_analysis.decoding.layout import Kind
from coldaisle_analysis.decoding.pool import NAME, fetch, release, store
from coldaisle_analysis.decoding.state import Carried

UNKNOWN = -1
_NONE = -1
_SPARE = 1 << 22
"""Bytes of texts that the frame at hand may name beside the topics of its aliases."""


@inner
def learn(carried: Carried, data: Bytes, side_at: int, number: int, at: int, end: int, code: int) -> None:
    """Remember the topic in [at, end), whose position in the batch's dictionary is ``code``, under a number of this direction."""
    tally = carried.tally[0]
    place = _find(carried, side_at, number)
    if place >= 0:
        alias = carried.aliases[place]
        if alias.batch == tally.batch and alias.code == code:
            return
        release(carried, alias.head)
    else:
        place = _room(carried, side_at, number)
        if place < 0:
            tally.overflows += 1
            return
    alias = carried.aliases[place]
    alias.batch, alias.code, alias.length = tally.batch, code, end - at
    alias.head = store(carried, data, at, end)
    if alias.head < 0:
        alias.length = 0
        tally.overflows += 1


@inner
def topic(carried: Carried, data: Bytes, side_at: int, number: int) -> int:
    """Return the position in the batch's dictionary of the topic that a number stands for, :data:`UNKNOWN` where it was not seen."""
    tally = carried.tally[0]
    place = _find(carried, side_at, number)
    if place < 0 or carried.aliases[place].length == 0:
        return UNKNOWN
    alias = carried.aliases[place]
    if alias.batch != tally.batch:
        if tally.text_bytes + alias.length + _SPARE > len(carried.text_data):
            return UNKNOWN
        fetch(carried, data, alias.head, alias.length, NAME)
        alias.code = text(carried, data, NAME, NAME + alias.length, Kind.TOPIC)
        alias.batch = tally.batch
    return int(alias.code)


@inner
def forget(carried: Carried, side_at: int) -> None:
    """Forget all numbers of a direction."""
    tally, place = carried.tally[0], int(carried.sides[side_at].alias)
    while place >= 0:
        alias = carried.aliases[place]
        release(carried, alias.head)
        bucket = _bucket(carried, side_at, alias.number)
        before = int(carried.alias_buckets[bucket])
        if before == place:
            carried.alias_buckets[bucket] = alias.chain
        else:
            while carried.aliases[before].chain != place:
                before = int(carried.aliases[before].chain)
            carried.aliases[before].chain = alias.chain
        following = int(alias.next)
        alias.next = tally.free_alias
        tally.free_alias = place
        place = following
    carried.sides[side_at].alias = _NONE


@inner
def _bucket(carried: Carried, side_at: int, number: int) -> int:
    return spread(side_at, number, 0) & (len(carried.alias_buckets) - 1)


@inner
def _find(carried: Carried, side_at: int, number: int) -> int:
    """Return the place of a number of this direction, -1 for none."""
    place = int(carried.alias_buckets[_bucket(carried, side_at, number)])
    while place >= 0:
        alias = carried.aliases[place]
        if alias.side == side_at and alias.number == number:
            return place
        place = int(alias.chain)
    return _NONE


@inner
def _room(carried: Carried, side_at: int, number: int) -> int:
    """Return a new place for a number of this direction, -1 when all are in use."""
    tally = carried.tally[0]
    place = int(tally.free_alias)
    if place >= 0:
        tally.free_alias = carried.aliases[place].next
    elif tally.fresh_alias < len(carried.aliases):
        place = int(tally.fresh_alias)
        tally.fresh_alias += 1
    else:
        return _NONE
    alias, side, bucket = carried.aliases[place], carried.sides[side_at], _bucket(carried, side_at, number)
    alias.side, alias.number, alias.head = side_at, number, _NONE
    alias.next, side.alias = side.alias, place
    alias.chain = carried.alias_buckets[bucket]
    carried.alias_buckets[bucket] = place
    return place
