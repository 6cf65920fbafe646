"""A script continues when its time has come or when its event on the wire has happened."""

import pytest

from coldaisle_contracts.clock import SECOND
from coldaisle_injector.script import AT_ONCE, PATIENCE_NS, At, Script, ScriptRunner, StuckError, Until


class _Times:
    """Both clocks stand still until a test moves them."""

    now = 0

    def now_ns(self) -> int:
        return self.now

    def wall_ns(self) -> int:
        return self.now


def test_scripts_take_turns_in_order_of_their_times() -> None:
    """Each script continues at its own time; scripts with the same time continue in the order of their requests."""
    times, done = _Times(), list[str]()
    runner = ScriptRunner(times)

    def script(name: str, *due: int) -> Script:
        for at in due:
            yield At(at)
            done.append(f"{name}{at}")

    for name, due in (("a", (1, 5)), ("b", (3, 5)), ("c", (5,))):
        runner.add(script(name, *due))
    for now in (1, 3, 5):
        times.now = now
        runner.run_due(now)
    assert done == ["a1", "b3", "c5", "a5", "b5"]
    assert runner.next_ns is None
    assert runner.settled


def test_time_that_has_passed_is_no_wait() -> None:
    """A late script does every step that is due at once."""
    times, done = _Times(), list[int]()
    times.now = 10
    runner = ScriptRunner(times)

    def script() -> Script:
        for at in (2, 4, 20):
            yield At(at)
            done.append(at)

    runner.add(script())
    assert done == [2, 4]
    assert runner.next_ns == 20


def test_waiting_for_the_wire_is_unsettled_until_it_is_over() -> None:
    """While a script waits for an answer, time must not jump; after the answer the script continues by itself."""
    times, heard, done = _Times(), list[str](), list[str]()
    runner = ScriptRunner(times)

    def script() -> Script:
        yield Until(lambda: "answer" in heard, "an answer")
        done.append("heard")

    runner.add(script())
    runner.look()
    assert (runner.settled, done) == (False, [])
    heard.append("answer")
    runner.look()
    assert (runner.settled, done) == (True, ["heard"])


def test_waiting_in_vain_voids_the_run() -> None:
    """An answer that does not come in time ends the run with an error that names it."""
    times = _Times()
    runner = ScriptRunner(times)

    def script() -> Script:
        yield Until(lambda: False, "a CONNACK")

    runner.add(script())
    times.now = PATIENCE_NS
    runner.look()
    times.now = PATIENCE_NS + SECOND
    with pytest.raises(StuckError, match="waited in vain for a CONNACK"):
        runner.look()


def test_much_to_catch_up_with_is_done_in_turns() -> None:
    """A very late script catches up in small batches, so that their effects are noted in between; no step is left out."""
    times, done = _Times(), list[int]()
    runner = ScriptRunner(times)

    def script() -> Script:
        for at in range(1, 201):
            yield At(at)
            done.append(at)

    runner.add(script())
    times.now, turns = 1_000, list[int]()
    while runner.next_ns is not None:
        before = len(done)
        runner.run_due(times.now)
        turns.append(len(done) - before)
    assert done == list(range(1, 201))
    assert max(turns) <= AT_ONCE + 1
