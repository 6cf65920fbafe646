"""The numbers of packets: in order, overtaken, lost, and inserted by somebody else."""

import pytest

from coldaisle_analysis.witness.numbers import Numbers


@pytest.mark.parametrize(
    ("numbers", "strange", "lost"),
    [
        ([7, 8, 9], [], []),
        ([0xFFFE, 0xFFFF, 0, 1], [], []),
        ([7, 9, 8, 10], [], []),
        ([0xFFFE, 0, 0xFFFF, 1], [], []),
        ([7, 0, 8], [], []),
        ([7, 9, 10], [], [8]),
        ([7, 8, 8], [8], []),
        ([7, 8, 400, 9], [400], []),
        ([7, 8, 6], [6], []),
    ],
)
def test_each_number_comes_once(numbers: list[int], strange: list[int], lost: list[int]) -> None:
    """A number that is not near the greatest one, or comes twice, is not the kernel's; one that never comes is lost."""
    seen = Numbers()
    assert [number for number in numbers if not seen.follows(number)] == strange
    assert seen.lost == lost
