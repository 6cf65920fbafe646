"""The whole catalogue as one scenario: every variant of every kind that coldaisle ships, once; ``test_tls_kinds`` plays those that need TLS."""

from coldaisle_contracts.kinds import SHIPPED
from coldaisle_contracts.planning import build_plan
from coldaisle_testbed.obedience import layout

DAYS = 2
PLAYED = [kind for kind in SHIPPED.values() if not layout.site_for([kind])]
"""The kinds that the published site can play."""
PLAN = build_plan(layout.scenario(PLAYED, days=DAYS))
