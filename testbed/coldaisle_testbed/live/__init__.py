"""A detector on a running testbed: it reads what tcpdump writes, in virtual time, and tells alarms as they come.

The capture on disk is the queue: a detector that falls behind loses nothing, and one that starts again reads from the
beginning, arrives at the same state, and goes on behind the last alarm it wrote. It never touches the captured network.
"""

from coldaisle_testbed.live.listener import Address
from coldaisle_testbed.live.loop import watch

__all__ = ["Address", "watch"]
