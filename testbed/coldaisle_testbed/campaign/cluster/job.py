"""One call of a function as a program of its own, on a worker: it may start processes and use a processor for long, which a worker may not."""

import pickle
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

from coldaisle_contracts import unforeseen
from coldaisle_testbed.campaign import lasting
from coldaisle_testbed.processes import last_words

_CALL, _RESULT, _LOG = "call", "result", "log"
_LOOK_S = 0.1
"""Time between two looks at a job, in s."""
_ONE_THREAD = ("env", "OMP_NUM_THREADS=1", "OPENBLAS_NUM_THREADS=1")
"""A worker does as many jobs at a time as its machine is to take."""


def called(payload: bytes, stopped: set[str], ticket: str) -> tuple[str, Any]:
    """Do a job in a program of its own that ends with this process; return an empty sentence and its result, or what went wrong.

    Args:
        payload: function and arguments, pickled.
        stopped: tickets of the jobs that are to end, which may grow.
        ticket: name of this attempt.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / _CALL).write_bytes(payload)
        with (folder / _LOG).open("wb") as log:
            command = [*_ONE_THREAD, sys.executable, "-P", "-m", __name__, temporary]
            process = lasting.start(command, folder, log)
        while process.poll() is None:
            if ticket in stopped:
                process.kill()
            time.sleep(_LOOK_S)
        if process.returncode:
            return last_words(folder / _LOG, 1) or f"the job ended with {process.returncode}", None
        return "", pickle.loads((folder / _RESULT).read_bytes())  # noqa: S301 - of our own program


def main(folder: Path) -> None:
    """Call the function that lies pickled in a folder, and leave its result there."""
    function, arguments = pickle.loads((folder / _CALL).read_bytes())  # noqa: S301 - of whoever deals the jobs
    (folder / _RESULT).write_bytes(pickle.dumps(function(*arguments)))


if __name__ == "__main__":
    unforeseen.run(partial(main, Path(sys.argv[1])))
