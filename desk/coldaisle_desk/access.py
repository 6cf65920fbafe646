"""Who may ask: callers on this machine, with the token, and for actions from the page itself."""

import secrets
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HERE = {"127.0.0.1", "localhost", "::1"}
"""Names of this machine that a browser may use; another one could be made to lead here (DNS rebinding)."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
)
"""Content-Security-Policy of every page: no inline script or style, nothing from elsewhere."""
_OPEN = "/static/"
"""Path of files that are the same for everybody."""


class Guard:
    """Middleware that lets nobody in without token, host and origin.

    Args:
        app: the application.
        token: the token.
        port: the port, which is in the name of the cookie, because browsers share cookies between ports.
    """

    def __init__(self, app: ASGIApp, token: str, port: int) -> None:
        self._app, self._token, self._cookie = app, token, f"coldaisle-desk-{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, _guarded(send))
            return
        await self._app(scope, receive, _guarded(send))

    def _refusal(self, scope: Scope) -> PlainTextResponse | RedirectResponse | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if urlsplit(f"//{host}").hostname not in HERE:
            return PlainTextResponse("Open this page as http://127.0.0.1, on the machine it runs on.", 421)
        if scope["method"] not in ("GET", "HEAD") and urlsplit(headers.get("origin", "")).netloc != host:
            return PlainTextResponse("An action has to come from the page itself.", 403)
        if scope["path"].startswith(_OPEN) or self._is_known(headers.get("cookie", "")):
            return None
        return self._by_address(scope)

    def _is_known(self, cookies: str) -> bool:
        try:
            morsel = SimpleCookie(cookies).get(self._cookie)
        except CookieError:
            return False
        return morsel is not None and self._is_token(morsel.value)

    def _is_token(self, text: str) -> bool:
        return secrets.compare_digest(text.encode(), self._token.encode())

    def _by_address(self, scope: Scope) -> PlainTextResponse | RedirectResponse:
        """Turn a token in the address into a cookie; the address without it stays in the browser's history."""
        query = parse_qsl(scope["query_string"].decode("latin-1"))
        if not any(key == "token" and self._is_token(value) for key, value in query):
            return PlainTextResponse(
                "This page needs its token: open the address that `coldaisle desk` printed.", 403
            )
        rest = urlencode([(key, value) for key, value in query if key != "token"])
        place = scope["path"].rpartition("/")[2] or "./"
        response = RedirectResponse(f"{place}?{rest}" if rest else place, 303)
        response.set_cookie(self._cookie, self._token, httponly=True, samesite="strict")
        return response


def _guarded(send: Send) -> Send:
    """Return a sender that adds what keeps a browser from doing more than it should."""

    async def sender(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.setdefault("Content-Security-Policy", POLICY)
            headers.setdefault("Cache-Control", "no-store")
            headers["X-Content-Type-Options"] = "nosniff"
            headers["Referrer-Policy"] = (
                "same-origin"  # with less, a form of the page would have the origin "null"
            )
        await send(message)

    return sender
