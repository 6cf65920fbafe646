"""The capture beside the broker: tcpdump, retiming from wall to virtual time, sealing."""
