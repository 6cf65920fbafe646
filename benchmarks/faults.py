"""How runs end that are hit by a fault at a random instant: every kind of process killed, stopped, hung up, ended, its files full.

Each case is a short run in a folder of its own. It has to end well or with a sentence within 30 s, leave nothing that `coldaisle runs` does not
name, and what can be gone on with has to come to the digest of a run nobody disturbed. Needs root.
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
    """Play the cases and print what came of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=400)
    parser.add_argument("--first", type=int, default=0, help="number of the first case that is played")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--beside", type=int, default=4, help="cases played side by side")
    asked = parser.parse_args()
    chosen = faults.cases(asked.first + asked.cases, asked.seed)[asked.first :]
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as temporary, ThreadPoolExecutor(asked.beside) as pool:
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
            for each in outcome.wrong:
                print(f"    WRONG: {each}")
    bad = sum(bool(outcome.wrong) for outcome in outcomes)
    codes = ", ".join(
        f"{code}: {count}" for code, count in sorted(Counter(each.code for each in outcomes).items())
    )
    print(f"{len(outcomes)} cases in {time.monotonic() - began:.0f} s, {bad} of them not as they should be")
    print(
        f"hit while the victim was there {sum(each.hit for each in outcomes)}, gone on with {sum(each.resumed for each in outcomes)}"
    )
    print(
        f"exit codes {codes}; latest end {max(each.seconds for each in outcomes if each.code):.1f} s after the fault"
    )
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
