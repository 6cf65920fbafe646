"""The controller's entry point."""

import os
import subprocess
import sys
from pathlib import Path

from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import Scenario


def test_unit_outside_the_scenario_ends_at_once(tmp_path: Path) -> None:
    """docker-compose.yml starts all four units; a unit outside the scenario exits with code 0 and writes no journal."""
    plan = build_plan(
        Scenario.model_validate(
            {
                "name": "made",
                "seed": 1,
                "first_day": "2026-03-02",
                "time_zone": "UTC",
                "duration_h": 1,
                "units": ["inrow-13"],
            }
        )
    )
    (tmp_path / "plan.json").write_text(plan.model_dump_json())
    env = os.environ | {
        "COLDAISLE_RUN": str(tmp_path),
        "COLDAISLE_FEDERATION": str(tmp_path),
        "COLDAISLE_UNIT": "inrow-25",
    }
    done = subprocess.run(
        [sys.executable, "-m", "coldaisle_sensors"], env=env, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert [path.name for path in tmp_path.iterdir()] == ["plan.json"]
