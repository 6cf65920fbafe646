"""The counters of the decoder."""

import numpy as np

TALLY = np.dtype(
    [
        ("frames", np.int64),
        ("flows", np.int64),
        ("used_flows", np.int64),  # flows in use
        ("uses", np.int64),  # packets of flows
        ("newest", np.int64),  # the flow used last and the one used longest ago, -1 for none
        ("oldest", np.int64),
        ("free_flow", np.int64),  # first place of a flow that is used no more, -1 for none
        ("free_chunk", np.int64),  # first unused chunk, segment, alias; -1 for none
        ("fresh_chunk", np.int64),  # those from here on were never used
        ("free_segment", np.int64),
        ("fresh_segment", np.int64),
        ("free_alias", np.int64),
        ("fresh_alias", np.int64),
        ("hosts", np.int64),
        ("arp_ns", np.int64),  # time of the last ARP frame, NO_TIME for none
        ("batch", np.int64),
        (
            "version",
            np.int64,
        ),  # protocol level of flows whose CONNECT is not seen, 0 where they have to show it
        ("gaps", np.int64),  # holes given up
        ("malformed", np.int64),
        ("forgotten_flows", np.int64),
        ("forgotten_hosts", np.int64),
        ("unread", np.int64),  # early segments of connections that ended or were forgotten
        ("refused", np.int64),  # segments that acknowledge what was never sent, overtaken by their stream
        ("fragments", np.int64),  # fragments of datagrams that never were whole
        ("next_datagram", np.int64),  # place of the datagram that is given up next
        ("asks", np.int64),  # whether the kernel stopped to see frames behind the block
        ("set_back", np.int64),  # frames with a time before that of their flow's last frame
        ("untimed", np.int64),  # frames without a time
        ("overflows", np.int64),  # holes given up because too much waited behind them
        ("cut_messages", np.int64),  # messages longer than LONGEST
        ("encrypted", np.int64),  # flows on a port of MQTT that carry TLS
        ("compressed", np.int64),  # WebSocket frames that are compressed
        ("unread_frames", np.int64),  # frames whose rest is not read, and in how many ways
        ("unread_kinds", np.int64),
        ("unversioned", np.int64),  # flows whose version nothing has shown
        ("unknown_topics", np.int64),  # messages with a topic alias that was not seen to be set
        ("messages", np.int64),  # rows written in this batch
        ("numbers", np.int64),  # entries of the batch's dictionaries
        ("texts", np.int64),
        (
            "number_mask",
            np.int64,
        ),  # the places in use of the table that finds them, less 1; the same for texts
        ("text_mask", np.int64),
        ("text_bytes", np.int64),
        ("payload_bytes", np.int64),
        ("payload_text", np.int64),
        ("codes", np.int64, (8,)),  # how many values each dictionary holds, by Kind
        ("flaw", np.int64),  # first flaw of the frame at hand and where; messages it completed
        ("flaw_at", np.int64),
        ("payload_at", np.int64),  # where its TCP payload starts
        ("completed", np.int64),
        ("first", np.int64),  # row of the first of them
    ],
    align=True,
)
"""Counters: frames and flaws so far, dropped entries, and how far the arrays are filled."""
