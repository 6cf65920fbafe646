import sys, time, shutil
from pathlib import Path
from coldaisle_contracts.scenario import load_scenario
from coldaisle_contracts.plan import build_plan
from coldaisle_testbed import week
name=sys.argv[1]; shards=int(sys.argv[2])
plan=build_plan(load_scenario(Path(name)))
stage=Path("/tmp/stage"); shutil.rmtree(stage,ignore_errors=True)
t=time.time(); week.prepare(stage,plan); week.play(plan,stage,shards,lambda s: print(round(time.time()-t,2),s)); print(time.time()-t)
