"""The records of the state's tables that are looked up by a number, an address or a text."""

import numpy as np

ALIAS = np.dtype(
    [
        ("side", np.int32),
        ("number", np.int32),
        ("length", np.int32),  # bytes of its topic, 0 where there was no room for them, and their first chunk
        ("head", np.int32),
        ("batch", np.int32),  # batch in which `code` is the topic's position in the dictionary
        ("code", np.int32),
        ("chain", np.int32),  # the next alias in the same bucket, and of the same direction
        ("next", np.int32),
    ],
    align=True,
)
"""A topic alias of a direction."""

NUMBER = np.dtype(
    [
        ("high", np.int64),
        ("low", np.int64),
        ("mac", np.int64),  # of an IP address: the first MAC address that spoke for it, -1 for none yet
        ("kind", np.int32),
        ("code", np.int32),
        ("slot", np.int32),
    ],
    align=True,
)
"""An address in a batch's dictionary: a MAC address, or an IP address, whose kind includes 8 times its version."""

TEXT = np.dtype(
    [
        ("hash", np.int64),
        ("at", np.int32),
        ("length", np.int32),
        ("kind", np.int32),
        ("code", np.int32),
        ("slot", np.int32),
    ],
    align=True,
)
"""A text in a batch's dictionary."""

HOST = np.dtype([("high", np.int64), ("low", np.int64), ("mac", np.int64), ("version", np.int64)], align=True)
"""An IP address, and the MAC address that first spoke for it."""

UNREAD = np.dtype([("kind", np.int64), ("number", np.int64), ("frames", np.int64)], align=True)
"""How many frames hold something that is not read, by what a header calls it, see `unread`."""
