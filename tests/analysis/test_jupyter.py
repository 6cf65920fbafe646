"""JupyterLab's server with the image's settings: the desk stands behind its token, and another program can use its kernels."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import pytest

HOUSE = Path(__file__).resolve().parents[2]
TOKEN = "made-for-a-test"  # noqa: S105 - of a server that lives for seconds
SNIPPET = re.findall(
    r"^  ```python\n(.+?)^  ```", (HOUSE / "docs" / "notebooks.md").read_text(), re.MULTILINE | re.DOTALL
)[0]
"""The program of docs/notebooks.md."""


def asked(address: str, **headers: str) -> tuple[int, str, str]:
    """Return status, body and content security policy of an answer."""
    try:
        with urlopen(Request(address, headers=headers), timeout=60) as answer:  # noqa: S310 - our own server
            return answer.status, answer.read().decode(), answer.headers.get("content-security-policy", "")
    except HTTPError as error:
        return error.code, error.read().decode(), ""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Host and port of a running server."""
    folder = tmp_path_factory.mktemp("jupyter")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = [sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root", "--ip=127.0.0.1"]
    options = [f"--port={address.rpartition(':')[2]}", f"--config={HOUSE / 'analysis' / 'jupyter_config.py'}"]
    env = os.environ | {
        "JUPYTER_TOKEN": TOKEN,
        "JUPYTER_CONFIG_DIR": str(folder),
        "JUPYTER_RUNTIME_DIR": str(folder),
    }
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([*command, *options], cwd=folder, env=env, stdout=log, stderr=log)
        try:
            until = time.monotonic() + 120
            while process.poll() is None and time.monotonic() < until:
                try:
                    asked(f"http://{address}/api")
                    break
                except URLError:
                    time.sleep(0.2)
            assert process.poll() is None, (folder / "log").read_text()
            yield address
            assert not re.search(r"\?token=[\w-]", (folder / "log").read_text())  # Jupyter hides its own
        finally:
            process.terminate()
            process.wait(120)


def test_the_desk_stands_behind_jupyters_token(server: str) -> None:
    """With JupyterLab's token the desk answers with its own page and policy, and no other token; without it, the login page comes."""
    status, page, policy = asked(f"http://{server}/desk/", Authorization=f"token {TOKEN}")
    assert (status, "coldaisle desk" in page) == (200, True)
    assert "script-src 'self'" in policy
    assert asked(f"http://{server}/desk/static/desk.js", Authorization=f"token {TOKEN}")[0] == 200
    assert "coldaisle desk" not in asked(f"http://{server}/desk/")[1]


def test_a_program_uses_a_kernel_as_documented(server: str) -> None:
    """The program of docs/notebooks.md gets the output of a kernel by REST and WebSocket; with a wrong token it gets none."""
    for token, fine in ((TOKEN, True), ("wrong", False)):
        program = SNIPPET.replace("127.0.0.1:8888", server).replace('"TOKEN"', repr(token))
        program = re.sub("^  ", "", program, flags=re.MULTILINE)
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=600
        )
        assert (done.returncode == 0, done.stdout) == (fine, "42\n" if fine else "")
