"""A detector on a running testbed: it reads the captures while tcpdump writes them, in virtual time, and raises alarms at once.

The capture on disk is the queue: a detector that falls behind loses nothing. After a restart it reads from the beginning, reaches the
same state, and goes on behind the last alarm that it wrote. It never touches the captured network.
"""

from coldaisle_testbed.live.listener import Address
from coldaisle_testbed.live.loop import watch

__all__ = ["Address", "watch"]
