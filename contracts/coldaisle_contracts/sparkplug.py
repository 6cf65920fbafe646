"""The form of Sparkplug B's payloads (Eclipse Sparkplug 3.0.0, chapter 6), in which a node writes and the analysis reads.

No library of Sparkplug is used: pysparkplug 0.6 needs paho-mqtt before 2, and it has a client of its own that knows no virtual time.
"""

from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

_PACKAGE = "sparkplug"
_METRIC = (
    ("name", 1, "STRING"), ("alias", 2, "UINT64"), ("timestamp", 3, "UINT64"), ("datatype", 4, "UINT32"), ("is_historical", 5, "BOOL"),
    ("is_null", 7, "BOOL"), ("int_value", 10, "UINT32"), ("long_value", 11, "UINT64"), ("float_value", 12, "FLOAT"),
    ("double_value", 13, "DOUBLE"), ("boolean_value", 14, "BOOL"),
)  # fmt: skip
_PAYLOAD = (("timestamp", 1, "UINT64"), ("seq", 3, "UINT64"))
"""Name, number and type of the fields of a metric and of a payload that are written or read (sections 6.4.6 and 6.4.4)."""


@cache
def payload_class() -> Any:
    """Return the class of payloads, a message of Protocol Buffers with the fields ``timestamp``, ``metrics`` and ``seq``."""
    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="payload.proto", package=_PACKAGE, syntax="proto2")
    for message, fields in (("Metric", _METRIC), ("Payload", _PAYLOAD)):
        entry = file.message_type.add(name=message)
        for name, number, kind in fields:
            entry.field.add(name=name, number=number, type=f"TYPE_{kind}", label=field.LABEL_OPTIONAL)
    metrics = field(name="metrics", number=2, type=field.TYPE_MESSAGE, label=field.LABEL_REPEATED)
    metrics.type_name = f".{_PACKAGE}.Metric"
    entry.field.append(metrics)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.Payload"))


def parsed(payload: bytes) -> Any | None:
    """Return the message in a payload, ``None`` where the payload is none of Sparkplug B."""
    message = payload_class()()
    try:
        message.ParseFromString(payload)
    except DecodeError:
        return None
    return message
