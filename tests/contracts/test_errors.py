"""Errors: each is one sentence with an exit code, and can be sent to another process."""

import pickle
from pathlib import Path

import pytest

from coldaisle_contracts.errors import BUSY, PLAY_AGAIN, ColdaisleError, FederateError, InputError, TrustError


@pytest.mark.parametrize(
    ("error", "sentence", "code"),
    [
        (InputError("file", "write valid TOML"), "file: write valid TOML", 2),
        (InputError(Path("a/b"), "name a file", "x"), "a/b is 'x': name a file", 2),
        (InputError("key", "give 1", 0), "key is 0: give 1", 2),
        (TrustError(["a", "b"]), "the run is not trustworthy: a; b", 3),
        (
            FederateError("inrow-13", "died"),
            f"inrow-13 died, so the run was ended; it wrote nothing; {PLAY_AGAIN}",
            3,
        ),
        (
            FederateError("inrow-13", "died", "oh\n", BUSY),
            f"inrow-13 died, so the run was ended; its last words: oh; {BUSY}",
            3,
        ),
        (ColdaisleError("anything"), "anything", 1),
    ],
)
def test_each_builds_its_sentence_and_knows_its_exit_code(
    error: ColdaisleError, sentence: str, code: int
) -> None:
    """Message and exit code follow from the error's arguments."""
    assert (str(error), error.exit_code) == (sentence, code)


@pytest.mark.parametrize(
    "error",
    [InputError("file", "write TOML", 3), TrustError(["a", "b"]), FederateError("inrow-13", "died", "oh")],
)
def test_errors_cross_processes(error: ColdaisleError) -> None:
    """A pickled error comes back with its type, sentence and attributes."""
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert type(copy) is type(error)
    assert (str(copy), copy.__dict__) == (str(error), error.__dict__)


def test_a_sentence_is_short_and_printable_whatever_it_quotes() -> None:
    """Quoted values are cut and escaped, however long, deep or strange, so that no input reaches the terminal unchanged."""
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    strange = [
        "x" * 10**6,
        b"\0" * 10**6,
        "a\nb\x1b[2J\u202e\udcff",
        10**9_000,
        deep,
        {str(n): n for n in range(9_999)},
    ]
    for value in strange:
        sentence = str(InputError("file\n\x1b[2J" + "y" * 10**5, "name another", value))
        assert sentence.isprintable()
        assert sentence.endswith(": name another")
        assert len(sentence) < 1_200
    many = str(TrustError([f"{number} broke" for number in range(1_000)]))
    assert many.endswith("19 broke; and 980 more")
