"""Measures the time to fit and score every model on every split of a run's levels, untuned and tuned."""

import argparse
import time
from pathlib import Path

from coldaisle_analysis import tables
from coldaisle_analysis.columns import LEARNED
from coldaisle_analysis.evaluation.evaluate import evaluate
from coldaisle_analysis.evaluation.levels import prepare
from coldaisle_contracts.manifest import Manifest

TARGET_S = {False: 45, True: 180}


def main() -> None:
    """Evaluate the models and print the times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="a finished run, such as runs/latest")
    arguments = parser.parse_args()
    seed = Manifest.load(arguments.run).seed
    levels = [prepare(tables.read_level(arguments.run, name), name) for name in LEARNED]
    for tuned, target in TARGET_S.items():
        began = time.monotonic()
        scored = evaluate(levels, seed, lambda _: None, tuned=tuned)
        took = time.monotonic() - began
        print(
            f"{'tuned' if tuned else 'untuned':8} {len(scored)} rows of metrics: {took:.1f} s (target: {target} s)",
            flush=True,
        )


if __name__ == "__main__":
    main()
