"""The agenda plays scripts in the order of their times."""

from coldaisle_contracts.clock import SECOND, ManualClock
from coldaisle_contracts.plan_changes import LOOK_NS
from coldaisle_sensors.agenda import STEP, Agenda, Due, Script, at


def test_scripts_go_on_in_the_order_of_their_times() -> None:
    """Two scripts interleave, and each continues exactly at the time it waited for."""
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
    """One script can bring forward the time that another waits for."""
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


def test_news_can_add_a_script_while_nothing_is_due() -> None:
    """A look comes every half second of idle time, and none where a script is due earlier; a script that it adds continues in its order."""
    clock = ManualClock()
    agenda, done, looks = Agenda(clock), list[tuple[str, int]](), list[int]()

    def script(name: str, *times: int) -> Script:
        for time in times:
            yield at(time)
            done.append((name, clock.now_ns()))

    def look() -> None:
        looks.append(clock.now_ns())
        if looks[-1] == 2 * LOOK_NS:
            agenda.add(script("added", 3 * LOOK_NS + 1))

    agenda.add(script("planned", 1, LOOK_NS, 4 * LOOK_NS))
    agenda.play(look)
    assert done == [
        ("planned", 1), ("planned", LOOK_NS), ("added", 3 * LOOK_NS + 1), ("planned", 4 * LOOK_NS),
    ]  # fmt: skip
    assert looks == [2 * LOOK_NS, 3 * LOOK_NS]


def test_only_what_may_come_amid_a_reading_does() -> None:
    """While a script waits for an answer, only a script marked `amid` continues when it is due."""
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
    """A script that waits for an answer looks for it every few milliseconds until the next script is due."""
    clock = ManualClock(SECOND)
    agenda = Agenda(clock)

    def script() -> Script:
        yield at(2 * SECOND, amid=True)

    agenda.add(script())
    assert agenda.meanwhile() == 0
    assert clock.now_ns() == SECOND + STEP


def test_nothing_to_come_amid_a_reading_sets_no_limit() -> None:
    """If no script is marked `amid`, a wait for an answer has no limit and requests no time."""
    clock = ManualClock()
    assert Agenda(clock).meanwhile() == float("inf")
    assert clock.now_ns() == 0
