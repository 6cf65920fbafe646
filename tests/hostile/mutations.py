"""Damage to our own files by a seed: flipped bytes, moved blocks, exchanged JSON values."""

import json
import random
import re
import struct
from collections.abc import Callable
from typing import Any

Chance = random.Random
Mutation = Callable[[Chance, bytes], bytes]

NUMBERS = (
    0,
    1,
    2,
    3,
    4,
    7,
    8,
    12,
    16,
    20,
    0x7F,
    0x80,
    0xFF,
    0x7FFF,
    0x8000,
    0xFFFF,
    1 << 18,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFF,
)
"""Numbers at the edges of ranges."""
_DEEPER = 0.8
"""Probability of changing something within a value, or the value a little; otherwise another value replaces it."""
VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2**31, 2**63, -(2**63), 2**64, 10**30, 0.5, -0.0, 1e308, float("nan"), float("inf"), "", "x", "0",
    "\u0000", "\ud800", "[red]x[/]", "../../etc/passwd", "9" * 400, "x" * 5_000, [], {}, [None], [[]], {"": {}}, [1, "a", None],
)  # fmt: skip
"""Values that our files never hold."""


def damaged(chance: Chance, data: bytes) -> bytes:
    """Flip some bytes, cut the data, double, insert or move a block, or overwrite a number with an extreme one."""
    out = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 3, 8))):
        if not out:
            return bytes(out)
        at = chance.randrange(len(out))
        end = min(len(out), at + chance.choice((1, 2, 4, 8, 32, 256)))
        match chance.randrange(8):
            case 0 | 1:
                out[at] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
            case 2:
                out[at] ^= 1 << chance.randrange(8)
            case 3 if len(out) > 3:
                struct.pack_into(
                    chance.choice("<>") + "I", out, min(at, len(out) - 4), chance.choice(NUMBERS)
                )
            case 4:
                del out[at:end]
            case 5:
                out[at:at] = out[at:end]
            case 6:
                out[at:at] = chance.randbytes(end - at)
            case 7 if not chance.randrange(8):
                del out[at:]
    return bytes(out)


def edited(chance: Chance, value: Any) -> Any:
    """Return JSON with one to three of its values or keys changed."""
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        value = _edited(chance, value)
    return value


def _edited(chance: Chance, value: Any) -> Any:
    """Return JSON with one value or key changed, anywhere in its depth."""
    if value and isinstance(value, dict | list) and chance.random() < _DEEPER:
        return _edited_object(chance, value) if isinstance(value, dict) else _edited_list(chance, value)
    if isinstance(value, int | float) and not isinstance(value, bool) and chance.random() < _DEEPER:
        return chance.choice(
            (
                value + 1,
                value - 1,
                -value,
                value * 1_000_003,
                value * 2**40,
                float(value),
                str(value),
                value / 1_000,
            )
        )
    if isinstance(value, str) and value and chance.random() < _DEEPER:
        at = chance.randrange(len(value))
        return value[:at] + chance.choice(("", "\x1b", "é", "\n", "0", "-", ".", "/")) + value[at + 1 :]
    return chance.choice(VALUES)


def _edited_object(chance: Chance, value: dict[str, Any]) -> dict[str, Any]:
    key, other = chance.choice(list(value)), chance.choice(list(value))
    match chance.randrange(8):
        case 0:
            return {name: one for name, one in value.items() if name != key}
        case 1:
            return value | {key: value[other], other: value[key]}
        case 2:
            return {name + "x" if name == key else name: one for name, one in value.items()}
    return value | {key: _edited(chance, value[key])}


def _edited_list(chance: Chance, value: list[Any]) -> list[Any]:
    at = chance.randrange(len(value))
    match chance.randrange(8):
        case 0:
            return value[:at] + value[at + 1 :]
        case 1:
            return value[: at + 1] + value[at:]
        case 2:
            return chance.sample(value, len(value))
    return [*value[:at], _edited(chance, value[at]), *value[at + 1 :]]


def edited_json(chance: Chance, data: bytes) -> bytes:
    """Return a JSON text with changed values or flipped bytes."""
    if not chance.randrange(4):
        return damaged(chance, data)
    return json.dumps(edited(chance, json.loads(data))).encode()


def edited_lines(chance: Chance, data: bytes) -> bytes:
    """Return JSON lines with some changed, moved, doubled or removed, or with flipped bytes."""
    if not chance.randrange(5):
        return damaged(chance, data)
    lines = data.splitlines()
    for _ in range(chance.choice((1, 1, 2, 5))):
        at, other = chance.randrange(len(lines)), chance.randrange(len(lines))
        match chance.randrange(9):
            case 0:
                lines[at] = b""
            case 1:
                lines[at], lines[other] = lines[other], lines[at]
            case 2:
                lines.insert(other, lines[at])
            case 3:
                lines[at] = chance.choice(
                    (
                        b"null",
                        b"1",
                        b"[]",
                        b"[" * 100_000,
                        b"\xff\xfe",
                        b'{"event":',
                        b'"x"',
                        b"{}",
                        b"NaN",
                        b"1],[2",
                    )
                )
            case _:
                try:
                    lines[at] = json.dumps(edited(chance, json.loads(lines[at]))).encode()
                except (ValueError, RecursionError):
                    lines[at] = b"{}"
    return b"\n".join(lines) + b"\n"


_WORD = re.compile(rb"[A-Za-z0-9_.-]+")
_TOML = (
    b"0", b"-1", b"1e308", b"inf", b"nan", b"-nan", b"9" * 5_000, b"true", b'""', b'"x"', b"[]", b"{}", b"1979-05-27", b"9999-12-31",
    b"0001-01-01", b"2106-02-07", b"00:00:00", b"23:59:60", b"1979-05-27T00:32:00Z", b"[[1]]", b'"\\u0000"', b'"../x"', b"'''", b"=",
    b"[" * 2_000, b"a." * 3_000, b"\x00", b"\xff", b"\xef\xbb\xbf", b"\n[drawn]\n", b'"broker"', b"4294967295",
)  # fmt: skip


def edited_text(chance: Chance, data: bytes) -> bytes:
    """Return a text of words (TOML, CSV) with some replaced by its other words or by extreme values, or with flipped bytes."""
    if not chance.randrange(4):
        return damaged(chance, data)
    for _ in range(chance.choice((1, 1, 2, 4))):
        words = list(_WORD.finditer(data))
        if not words:
            return data
        word = chance.choice(words)
        fresh = chance.choice(_TOML) if chance.randrange(3) else chance.choice(words)[0]
        if not chance.randrange(6):
            start, end = data.rfind(b"\n", 0, word.start()) + 1, data.find(b"\n", word.end()) + 1 or len(data)
            data = data[:start] + (data[start:end] * 2 if chance.randrange(2) else b"") + data[end:]
        else:
            data = data[: word.start()] + fresh + data[word.end() :]
    return data
