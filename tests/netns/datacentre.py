"""A data centre with everything that a site can have, which both engines play."""

from tests.conftest import HOUSE

from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import load_scenario

FILE = HOUSE / "scenarios" / "datacentre.toml"
PLAN = build_plan(load_scenario(FILE), str(FILE))
DIGEST = "d11b83bc0a8e5982ceeee29e3d2b710ac4c337173f12a7809c3a0399805ea1f6"
"""The semantic digest of every play of it."""
