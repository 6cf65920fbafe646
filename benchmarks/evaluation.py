"""How long it takes to play every model on every split of a run's levels, as it is and with every model tuned."""

import argparse
import time
from pathlib import Path

from coldaisle_analysis import tables, workers
from coldaisle_analysis.columns import LEARNED
from coldaisle_analysis.evaluation.evaluate import evaluate
from coldaisle_analysis.evaluation.levels import prepare
from coldaisle_contracts.manifest import Manifest

WANTED_S = {False: 45, True: 180}


def main() -> None:
    """Evaluate, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="a finished run, such as runs/latest")
    asked = parser.parse_args()
    seed = Manifest.load(asked.run).seed
    with workers.warming_up():  # as in an analysis, which starts them while it writes the dataset
        levels = [prepare(tables.read_level(asked.run, name), name) for name in LEARNED]
    for tuned, wanted in WANTED_S.items():
        began = time.monotonic()
        scored = evaluate(levels, seed, lambda _: None, tuned=tuned)
        took = time.monotonic() - began
        print(
            f"{'tuned' if tuned else 'untuned':8} {len(scored)} rows of metrics: {took:.1f} s, {wanted} s are wanted",
            flush=True,
        )


if __name__ == "__main__":
    main()
