"""Client ids and payloads: each is encoded for the wire and decoded again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.published import UNITS, client_id

from coldaisle_contracts.topics import (
    SENSOR_MEANING,
    SENSORS,
    TOPIC,
    base_id,
    decode_value,
    encode_value,
    is_inrow,
    sensor_of,
)


def test_client_ids_are_the_published_ones() -> None:
    """The sixteen client ids are those of the published captures, and each ends with the number of its sensor."""
    ids = [client_id(unit, sensor) for unit in UNITS for sensor in SENSORS]
    assert ids == [f"{unit}{sensor}" for unit in (13, 15, 23, 25) for sensor in (1, 2, 3, 4)]
    assert [sensor_of(client) for client in ids] == list(SENSORS) * len(UNITS)


def test_topic_and_sensors_are_the_published_ones() -> None:
    """There is one topic, and there are four sensors with known quantities."""
    assert TOPIC == "IoT"
    assert tuple(SENSOR_MEANING) == SENSORS


@pytest.mark.parametrize(
    ("celsius", "payload"),
    [(15.54, b"15.54"), (20, b"20.00"), (9.999, b"10.00"), (-0.5, b"-0.50"), (-0.001, b"-0.00")],
)
def test_payload_has_two_decimals(celsius: float, payload: bytes) -> None:
    """A payload is ASCII with two decimals."""
    assert encode_value(celsius) == payload


@given(st.floats(-1000, 1000))
def test_a_value_survives_its_payload(celsius: float) -> None:
    """A decoded value is within half a hundredth of the encoded one."""
    assert decode_value(encode_value(celsius)) == pytest.approx(celsius, abs=0.005_000_1)


@pytest.mark.parametrize("payload", [b"", b"warm", b"15,54", b"\xff"])
def test_what_is_no_number_is_refused(payload: bytes) -> None:
    """Text, an empty payload and bytes that are not ASCII raise ValueError."""
    with pytest.raises(ValueError, match=r"."):
        decode_value(payload)


@pytest.mark.parametrize(
    ("client", "base", "inrow"),
    [
        ("134", "134", True),
        ("134-2", "134", True),
        ("flow 7", "flow 7", False),
        ("mqtt-1", "mqtt", False),
        ("13²", "13²", False),
    ],
)
def test_ids_of_inrow_sensors_are_recognised(client: str, base: str, inrow: bool) -> None:
    """A client id of an InRow sensor is three digits, with an optional suffix for the firmware."""
    assert (base_id(client), is_inrow(base_id(client))) == (base, inrow)
