"""The first message of a frame in the frame's own row."""

from coldaisle_analysis.compiled import inner
from coldaisle_analysis.decoding import utf8
from coldaisle_analysis.decoding.arrays import Messages, Rows
from coldaisle_analysis.decoding.layout import I8, I16, I32, M8, M16, M32, Code, Has, MCode, Protocol
from coldaisle_analysis.decoding.state import Carried


@inner
def first_message(rows: Rows, row: int, messages: Messages, carried: Carried) -> int:
    """Copy the first message that a frame completes into the frame's row, and return its bits of Has."""
    tally = carried.tally[0]
    index = int(tally.first)
    i8, i16, i32, code = rows.i8, rows.i16, rows.i32, rows.code
    i8[I8.PROTOCOL, row] = Protocol.MQTT
    i16[I16.MQTT_MESSAGES, row] = min(tally.completed, 32767)
    i8[I8.MQTT_MSGTYPE, row] = messages.i8[M8.MSGTYPE, index]
    i8[I8.MQTT_QOS, row] = messages.i8[M8.QOS, index]
    i8[I8.MQTT_DUP, row] = messages.i8[M8.DUP, index]
    i8[I8.MQTT_RETAIN, row] = messages.i8[M8.RETAIN, index]
    i8[I8.MQTT_CLEANSESS, row] = messages.i8[M8.CLEANSESS, index]
    i16[I16.MQTT_VERSION, row] = messages.i16[M16.VERSION, index]
    i16[I16.MQTT_CONNACK, row] = messages.i16[M16.CONNACK, index]
    i32[I32.MQTT_LEN, row] = messages.i32[M32.LEN, index]
    i32[I32.MQTT_MSGID, row] = messages.i32[M32.MSGID, index]
    i32[I32.MQTT_KEEPALIVE, row] = messages.i32[M32.KEEPALIVE, index]
    code[Code.MQTT_TOPIC, row] = messages.code[MCode.TOPIC, index]
    code[Code.MQTT_CLIENTID, row] = messages.code[MCode.CLIENTID, index]
    code[Code.MQTT_PROTONAME, row] = messages.code[MCode.PROTONAME, index]
    bits = int(messages.bits[index]) & ~Has.CLIENT
    if bits & Has.PAYLOAD:
        tally.payload_text = utf8.copy(
            messages.payload,
            messages.payload_end[index],
            messages.payload_end[index + 1],
            rows.text,
            tally.payload_text,
        )
    return bits
