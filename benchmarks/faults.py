"""Measures the ends of runs that a fault hits at a random instant: any process is killed, stopped, hung up or terminated, or its files are full.

Each case is a short run in a folder of its own. It has to end well or with a sentence within 30 s and may leave only what `coldaisle runs`
lists; a run that can be resumed has to give the digest of an undisturbed run. Needs root.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.netns import faults


def main() -> None:
    """Play the cases and print their outcomes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=400)
    parser.add_argument("--first", type=int, default=0, help="number of the first case that is played")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--beside", type=int, default=4, help="cases played side by side")
    arguments = parser.parse_args()
    chosen = faults.cases(arguments.first + arguments.cases, arguments.seed)[arguments.first :]
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as temporary, ThreadPoolExecutor(arguments.beside) as pool:
        folder = Path(temporary)
        digest = faults.undisturbed(folder / "undisturbed")

        def suffer(case: faults.Case) -> faults.Outcome:
            return faults.suffer(case, folder / str(case.number), digest)

        outcomes = []
        for case, outcome in zip(chosen, pool.map(suffer, chosen), strict=True):
            outcomes.append(outcome)
            sentence = outcome.output.splitlines()[-1][:160] if outcome.output else ""
            print(
                f"{case}: exit {outcome.code}, {outcome.seconds:.1f} s{', resumed' if outcome.resumed else ''}: {sentence}"
            )
            for violation in outcome.wrong:
                print(f"    WRONG: {violation}")
    bad = sum(bool(outcome.wrong) for outcome in outcomes)
    codes = ", ".join(
        f"{code}: {count}" for code, count in sorted(Counter(outcome.code for outcome in outcomes).items())
    )
    print(f"{len(outcomes)} cases in {time.monotonic() - began:.0f} s, {bad} of them wrong")
    print(
        f"hit while the victim was running: {sum(outcome.hit for outcome in outcomes)}, resumed: {sum(outcome.resumed for outcome in outcomes)}"
    )
    print(
        f"exit codes {codes}; latest end {max(outcome.seconds for outcome in outcomes if outcome.code):.1f} s after the fault"
    )
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
