#!/usr/bin/env bash
# Behaviour: skops writes a collections.deque without what is in it, and gives back an empty one without its maxlen. Neither dump nor
#   load complains; the file even names the type, and one has to trust it. So a river model with a window forgets how to forget:
#   the rolling mean of the last 4 values agrees to the digit when it has just been loaded, and is the mean of all values from then on.
# Version: skops 0.16.0 and river 0.26.1, Python 3.11.
# Source: met when kinds of state that a detector may hold were written with skops and read back one by one. skops asks an object
#   for its state and takes no notice of the list items that __reduce__ hands out beside it; a deque has nothing but those.
# The guess: what skops cannot write it refuses, as it refuses an array.array. And a check right after loading would tell.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
timeout 540 "$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  skops==0.16.0 river==0.26.1 scikit-learn==1.9.1 numpy==2.4.6 scipy==1.17.1
cat >"$folder/window.py" <<'PY'
import sys
from collections import deque

from river import stats, utils
from skops import io


def again(thing):
    """Write a thing and read it back, with every type in it trusted."""
    data = io.dumps(thing)
    return io.loads(data, trusted=io.get_untrusted_types(data=data))


queue = again(deque([1, 2, 3], maxlen=4))
print("deque([1, 2, 3], maxlen=4) comes back as", queue)
kept = utils.Rolling(stats.Mean, window_size=4)
for value in (20.0, 21.0, 22.0, 23.0):
    kept.update(value)
loaded = again(kept)
seen = [(kept.get(), loaded.get())]
for _ in range(1000):
    kept.update(30.0)
    loaded.update(30.0)
seen.append((kept.get(), round(loaded.get(), 3)))
print("mean of the last 4, kept and loaded:               ", seen[0])
print("the same after 1000 more values, each of them 30.0:", seen[1])
sys.exit((list(queue), queue.maxlen, seen) != ([], None, [(21.5, 21.5), (30.0, 29.966)]))
PY
timeout 120 "$folder/venv/bin/python" "$folder/window.py" || { echo 'changed: skops does otherwise now'; exit 1; }
