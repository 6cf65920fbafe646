"""What a companion receives, and what the broker says for it when it is lost."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Message:
    """A message that a companion received.

    Attributes:
        topic: its topic.
        payload: its payload.
        qos: quality of service of its delivery.
        retained: whether the broker had kept it from before the subscription.
    """

    topic: str
    payload: bytes
    qos: int
    retained: bool


@dataclass(frozen=True)
class Will:
    """The message that the broker publishes for a companion that is lost without a DISCONNECT.

    Attributes:
        topic: its topic.
        payload: its payload.
        qos: its quality of service.
        retain: whether the broker keeps it.
    """

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False
