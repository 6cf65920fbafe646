"""MQTT messages found in a segment's bytes and made anew."""

from hypothesis import given
from hypothesis import strategies as st
from tests.injector.made import publish

from coldaisle_injector import mqtt
from coldaisle_injector.mqtt import Message

_VALUES = st.text("0123456789.", min_size=1, max_size=200)
_MIDS = st.integers(1, 65_535)


@given(st.lists(st.tuples(_VALUES, _MIDS), min_size=1, max_size=5))
def test_messages_of_one_segment_are_told_apart(readings: list[tuple[str, int]]) -> None:
    """Several PUBLISH in a segment are read with their ids and values, short and long lengths alike."""
    found = list(mqtt.messages(b"".join(publish(value, mid) for value, mid in readings)))
    assert [(each.type, each.value.decode(), each.mid) for each in found] == [
        (mqtt.PUBLISH, value, mid) for value, mid in readings
    ]


@given(_VALUES, _MIDS, _VALUES)
def test_with_value_changes_the_value_alone(value: str, mid: int, other: str) -> None:
    """Another value makes the PUBLISH the sensor would have sent with it, and back again."""
    (message,) = mqtt.messages(publish(value, mid))
    changed = mqtt.with_value(message, other.encode())
    assert changed == publish(other, mid)
    (again,) = mqtt.messages(changed)
    assert mqtt.with_value(again, value.encode()) == message.data


@given(st.binary(max_size=300))
def test_any_bytes_are_passed_on_whole(payload: bytes) -> None:
    """Whatever a segment carries, its messages put together are its bytes."""
    assert b"".join(message.data for message in mqtt.messages(payload)) == payload


def test_cut_message_is_left_over() -> None:
    """A message that goes on in the next segment is yielded untouched, as type 0."""
    whole = publish("15.54", 7)
    assert list(mqtt.messages(mqtt.puback(1) + whole[:-1])) == [
        Message(mqtt.PUBACK, mqtt.puback(1), 1),
        Message(0, whole[:-1]),
    ]


@given(_MIDS)
def test_puback_names_its_message(mid: int) -> None:
    """A PUBACK made is four bytes and read with its message id."""
    data = mqtt.puback(mid)
    assert data == b"\x40\x02" + mid.to_bytes(2, "big")
    assert list(mqtt.messages(data)) == [Message(mqtt.PUBACK, data, mid)]
