"""The agenda plays scripts in the order of their times."""

from coldaisle_contracts.clock import SECOND, ManualClock
from coldaisle_sensors.agenda import STEP, Agenda, Due, Script, at


def test_scripts_go_on_in_the_order_of_their_times() -> None:
    """Two scripts interleave, and the clock stands at the time each waited for."""
    clock = ManualClock()
    agenda, done = Agenda(clock), list[tuple[str, int]]()

    def script(name: str, *times: int) -> Script:
        for time in times:
            yield at(time)
            done.append((name, clock.now_ns()))

    agenda.add(script("odd", 1, 3, 5))
    agenda.add(script("even", 2, 4, 6))
    agenda.play()
    assert done == [("odd", 1), ("even", 2), ("odd", 3), ("even", 4), ("odd", 5), ("even", 6)]


def test_a_time_that_moves_is_asked_for_again() -> None:
    """What one script does brings forward what another waits for."""
    clock = ManualClock()
    agenda, ahead, woken = Agenda(clock), [0], list[int]()

    def sleeper() -> Script:
        yield Due(lambda: 100 - ahead[0])
        woken.append(clock.now_ns())

    def jumper() -> Script:
        yield at(10)
        ahead[0] = 40

    agenda.add(sleeper())
    agenda.add(jumper())
    agenda.play()
    assert woken == [60]


def test_only_what_may_come_amid_a_reading_does() -> None:
    """While another script waits for an answer, one that said so goes on when it is due, and no other."""
    clock = ManualClock()
    agenda, done = Agenda(clock), list[tuple[str, int]]()

    def waiter() -> Script:
        yield at(SECOND)
        while agenda.meanwhile() == 0:
            pass
        done.append(("answered", clock.now_ns()))

    def other(name: str, *, amid: bool) -> Script:
        yield at(SECOND + 3 * STEP - 1, amid=amid)
        done.append((name, clock.now_ns()))

    agenda.add(waiter())
    agenda.add(other("patient", amid=False))
    agenda.add(other("amid", amid=True))
    agenda.play()
    due = SECOND + 3 * STEP - 1
    assert done == [("amid", due), ("answered", due), ("patient", due)]


def test_time_passes_in_steps_amid_a_reading() -> None:
    """Whoever waits for an answer looks for it every few milliseconds until it is time for the other thing."""
    clock = ManualClock(SECOND)
    agenda = Agenda(clock)

    def script() -> Script:
        yield at(2 * SECOND, amid=True)

    agenda.add(script())
    assert agenda.meanwhile() == 0
    assert clock.now_ns() == SECOND + STEP


def test_nothing_to_come_amid_a_reading_sets_no_limit() -> None:
    """Whoever waits for an answer may wait as long as it likes, and no time is asked for."""
    clock = ManualClock()
    assert Agenda(clock).meanwhile() == float("inf")
    assert clock.now_ns() == 0
