"""Errors that nobody foresaw: the page says so in a sentence, and the traceback goes to a log file, once."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from coldaisle_contracts.unforeseen import as_known
from coldaisle_desk.pages import page

_MOST = 20
"""Most kinds of errors that are remembered; further ones get no log file of their own."""


def answer(request: Request, status: int, sentence: str) -> Response:
    """Return a page, or for a panel its part of one, that says what is wrong."""
    path = request.url.path
    if "/panel/" in path:
        return page("panels/waiting", status, problem=sentence)
    return page("failed", status, up="../" * max(0, path.count("/") - 1), sentence=sentence)


class Sentences:
    """Middleware that turns any error into a sentence.

    Args:
        app: the application.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._said: dict[str, str] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        begun = False

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except Exception as error:  # noqa: BLE001 - the one place for every error
            if not begun:
                await answer(Request(scope), 500, self._sentence(error))(scope, receive, send)

    def _sentence(self, error: Exception) -> str:
        """Return the sentence on an error; the same error again gets the same sentence and no further log file."""
        name = f"{type(error).__name__} {error}"
        if name not in self._said and len(self._said) < _MOST:
            self._said[name] = str(as_known(error))
        return self._said.get(
            name, "something went wrong here, as before: the desk has written log files on other errors"
        )
