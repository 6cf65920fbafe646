"""The whole catalogue as one scenario: every variant of every kind that coldaisle ships, once."""

from coldaisle_contracts.kinds import SHIPPED
from coldaisle_contracts.planning import build_plan
from coldaisle_testbed.obedience import layout

DAYS = 2
PLAN = build_plan(layout.scenario(SHIPPED.values(), days=DAYS))
