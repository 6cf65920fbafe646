"""Why plays of ``dad.toml`` differ from the published DAD captures, measure by measure, where that is known.

What virtual time and one machine cannot show comes first, then what a scenario cannot say yet, then what the methodology asks for. The
reasons hold for these captures; beside others they are where to begin to look.
"""

_WALL = (
    "virtual time ends where the processor's begins: answers within a reading take what this machine takes, several days are played at a time, "
    "and on a busy machine they come many times later"
)
_ONE_MACHINE = (
    "hosts are namespaces of one machine, joined by a bridge, where the published ones are virtual machines of their own: a kernel's first "
    "answer takes microseconds here"
)
_TOGETHER = (
    "virtual time wakes units together, 1 ms apart, and one program has all four sensors of a unit; published hosts wake tens of ms apart, "
    "each in a phase of its own"
)
_INTERVAL = "an interval of a scenario divides the day: 300 s, where published sensors are read every 300.1 s"
_NTP = (
    "controllers ask for the time every ntp_every readings (1,200 s), four of them; three of the published hosts run a daemon that asks every "
    "1,024 to 1,087 s, and the fourth never asks"
)
_LEVEL = (
    "the methodology asks for MQTT 3.1, whose CONNECT names the protocol MQIsdp and so is two bytes longer; the published clients speak 3.1.1, "
    "with a keepalive of 300 s, or 18,000 s on the day of the removals"
)
_SHARES = "a small effect of two others: there are more NTP queries, each a flow of two packets, and a CONNECT is two bytes longer"

REASONS: dict[str, str] = {
    **dict.fromkeys(("puback_delay", "ack_delay_up", "flow_iat_mean", "flow_duration"), _WALL),
    **dict.fromkeys(("syn_ack_delay", "ack_delay_down", "connack_delay", "ntp_delay"), _ONE_MACHINE),
    **dict.fromkeys(("host_gap", "sensor_gap", "any_iat"), _TOGETHER),
    "publish_jitter": "a wake-up comes with a seeded jitter of up to 0.75 ms, and waits where the attacker or another unit is still busy",
    **dict.fromkeys(("publish_iat", "iat_down", "iat_up", "flow_iat"), _INTERVAL),
    **dict.fromkeys(("ntp_iat", "protocols", "dscp"), _NTP),
    **dict.fromkeys(("connect", "mqtt_len", "frame_len_up"), _LEVEL),
    **dict.fromkeys(("flow_bytes", "flow_size_std", "flow_packets"), _SHARES),
}
"""The reason for a large difference of a measure, as the rest of a sentence."""
