"""Work on several processors in threads: numpy and pyarrow let others run while they sort, count and parse."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_MOST = 4
"""The most threads: each holds a column or a block of its own."""
Item = TypeVar("Item")
Value = TypeVar("Value")


def map_in_threads(function: Callable[[Item], Value], items: Sequence[Item]) -> list[Value]:
    """Return the value of a function for each item, in their order."""
    with ThreadPoolExecutor(min(_MOST, len(os.sched_getaffinity(0)))) as pool:
        return list(pool.map(function, items))


def ahead(items: Iterable[Item]) -> Iterator[Item]:
    """Yield items while the next one is made in another thread."""
    source = iter(items)
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(_next, source)
        while (item := coming.result()) is not None:
            coming = pool.submit(_next, source)
            yield item


def _next(source: Iterator[Item]) -> Item | None:
    return next(source, None)
