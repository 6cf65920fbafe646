"""Tests of the numbers in payloads."""

import json
import struct

import cbor2
import pytest

from coldaisle_analysis.series.payloads import Payloads


def numbers_in(payload: bytes, topic: str = "plant/line1") -> tuple[str, dict[str, float]]:
    """Return form and numbers of one payload, by field."""
    form, numbers, _ = Payloads().read(topic, payload)
    return form, dict(numbers)


@pytest.mark.parametrize(
    ("payload", "form", "numbers"),
    [
        (b"15.54", "text", {"": 15.54}),
        (b" -3\r\n\0", "text", {"": -3.0}),
        (b"1e3", "text", {"": 1000.0}),
        ("21.5 °C".encode(), "text with unit", {"": 21.5}),
        (b"48%", "text with unit", {"": 48.0}),
        (b"7.2m3", "text with unit", {"": 7.2}),
        (b'{"temperature": 21.5, "unit": "C"}', "JSON", {"temperature": 21.5}),
        (b'\xef\xbb\xbf{"t": 1}', "JSON", {"t": 1.0}),
        (
            b'{"room": {"t": "21.5", "h": [40, 41]}}',
            "JSON",
            {"room.t": 21.5, "room.h[0]": 40, "room.h[1]": 41},
        ),
        (b'"19.5"', "JSON", {"": 19.5}),
        (b'{"on": true, "name": "3rd", "none": null}', "none", {}),
        (b'{"t": NaN, "u": 1e999, "v": 2}', "JSON", {"v": 2.0}),
        (json.dumps({"samples": [*range(17)], "rms": 2}).encode(), "JSON", {"rms": 2.0}),
        (b"[" * 5000, "none", {}),
        (b'{"t": ' + b"9" * 400 + b"}", "none", {}),
        (b"2026-11-30", "none", {}),
        (b"198.18.0.1", "none", {}),
        (b"0x1F", "none", {}),
        (b"nan", "none", {}),
        (b"on", "none", {}),
        (b"", "none", {}),
        (cbor2.dumps({"t": 21.5, "in": {"h": 40}}), "CBOR", {"t": 21.5, "in.h": 40.0}),
        (cbor2.dumps(21.5), "CBOR", {"": 21.5}),
        (cbor2.dumps({"t": 1}) + b"\0", "none", {}),
        (b"\xa1\x61", "none", {}),
        ("été".encode(), "none", {}),
    ],
)
def test_forms_of_payloads(payload: bytes, form: str, numbers: dict[str, float]) -> None:
    """A number is found with its field in each form; what is no measurement has none."""
    assert numbers_in(payload) == (form, numbers)


def test_senml_resolves_its_base_fields() -> None:
    """The example of RFC 8428, section 5.1.3, in short: base names, values and times are added; the newest value of a name counts."""
    pack = [
        {
            "bn": "urn:dev:ow:10e2073a01080063:",
            "bt": 1.276020076e9,
            "bu": "A",
            "n": "voltage",
            "u": "V",
            "v": 120.1,
        },
        {"n": "current", "t": -5, "v": 1.2},
        {"n": "current", "t": 0, "v": 1.7},
        {"n": "current", "t": -4, "v": 1.3},
        {"n": "label", "vs": "pump"},
    ]
    names = ("urn:dev:ow:10e2073a01080063:voltage", "urn:dev:ow:10e2073a01080063:current")
    assert numbers_in(json.dumps(pack).encode()) == ("SenML", dict(zip(names, (120.1, 1.7), strict=True)))
    assert numbers_in(
        json.dumps([{"bn": "a/", "bv": 20, "n": "t", "v": 1.5}, {"n": "h", "v": 20}]).encode()
    ) == (
        "SenML",
        {"a/t": 21.5, "a/h": 40.0},
    )
    assert numbers_in(cbor2.dumps([{-2: "a/", 0: "t", 2: 21.5}])) == ("SenML", {"a/t": 21.5})


def _varint(number: int) -> bytes:
    out = b""
    while number > 127:
        out, number = out + bytes([number & 127 | 128]), number >> 7
    return out + bytes([number])


def _field(number: int, value: bytes | float) -> bytes:
    """Return a field of Protocol Buffers: a varint, a text, or a double."""
    if isinstance(value, bytes):
        return _varint(number << 3 | 2) + _varint(len(value)) + value
    if isinstance(value, float):
        return _varint(number << 3 | 1) + struct.pack("<d", value)
    return _varint(number << 3) + _varint(value)


def _payload(*metrics: bytes) -> bytes:
    return _field(1, 1_760_000_000_000) + b"".join(_field(2, metric) for metric in metrics) + _field(3, 0)


def test_sparkplug_remembers_the_names_of_aliases() -> None:
    """A birth names an alias, the data that follow have only the alias, and both are one series; the next birth forgets it."""
    payloads = Payloads()
    born = _payload(
        _field(1, b"bdSeq") + _field(4, 8) + _field(11, 3),
        _field(1, b"t") + _field(2, 5) + _field(4, 10) + _field(13, 21.5),
        _field(1, b"offset") + _field(2, 6) + _field(4, 3) + _field(10, (1 << 32) - 4),
        _field(1, b"when") + _field(4, 13) + _field(11, 1_760_000_000_000),
    )
    assert payloads.read("spBv1.0/g/NBIRTH/n", born) == (
        "Sparkplug B",
        (("t", 21.5), ("offset", -4.0)),
        "spBv1.0/g/n",
    )
    data = _payload(
        _field(2, 5) + _field(13, 22.5), _field(2, 6) + _field(10, 7), _field(2, 9) + _field(13, 1.0)
    )
    assert payloads.read("spBv1.0/g/NDATA/n", data).numbers == (
        ("t", 22.5),
        ("offset", 7.0),
        ("alias 9", 1.0),
    )
    assert payloads.read("spBv1.0/g/NDATA/other", data).numbers[0] == ("alias 5", 22.5)
    payloads.read(
        "spBv1.0/g/NBIRTH/n", _payload(_field(1, b"p") + _field(2, 5) + _field(4, 10) + _field(13, 1.0))
    )
    assert payloads.read("spBv1.0/g/NDATA/n", data).numbers[0] == ("p", 22.5)
    assert payloads.read("spBv1.0/g/NDATA/n", b"\xff\xff").form == "none"
    assert payloads.read("spBv1.0/STATE/host", b'{"online": true, "load": 2}').form == "JSON"
