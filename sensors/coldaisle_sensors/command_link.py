"""The connection on which a unit that is governed receives its set points."""

from collections.abc import Callable
from typing import Any, Protocol

from coldaisle_sensors.link import Link

OnMessage = Callable[["CommandLink", str, bytes, int], None]
"""Called with the link, topic, payload and quality of service of a message."""
_QOS = 1


class CommandLink(Link):
    """A connection that subscribes to one topic; it counts as connected once the broker has acknowledged that.

    Args:
        topic: the topic.
        on_message: takes in each message.
        more: see :class:`~coldaisle_sensors.link.Link`.
    """

    def __init__(self, *more: Any, topic: str, on_message: OnMessage, **named: Any) -> None:
        super().__init__(*more, **named)
        self._topic = topic
        self._paho.on_subscribe = self._on_subscribe
        self._paho.on_message = lambda _client, _data, message: on_message(
            self, message.topic, bytes(message.payload), message.qos
        )

    def _on_connect(self, _client: Any, _data: object, _flags: object, reason: object, *_: object) -> None:
        self.lost = reason != 0
        if not self.lost:
            self._paho.subscribe(self._topic, _QOS)

    def _on_subscribe(self, *_: object) -> None:
        self.connected = True


class CommandLinkMaker(Protocol):
    """Returns a connection for commands without opening it."""

    def __call__(
        self,
        client: str,
        name: str,
        keepalive_s: int,
        on_open: Callable[[Link], None],
        *,
        topic: str,
        on_message: OnMessage,
    ) -> Link:
        """Return it; see :class:`CommandLink` and :class:`~coldaisle_sensors.link.Link` for the arguments."""
