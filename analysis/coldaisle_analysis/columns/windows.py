"""Level ``windows``: one row per sensor and interval of time."""

TABLE = """\
unit | identity | text | | cooling unit (published captures: client id without its last digit, or address)
sensor | identity | int16 | 1 | sensor number: 1 coolant in, 2 coolant out, 3 supply air, 4 return air
client_id | identity | text | | MQTT client id of the sensor (other captures: its address where it has none)
series | identity | text | | name of the series, as in readings
window | meta | int32 | 1 | number of the window, from 0
day | meta | int16 | 1 | day of the run, from 1; the unit of every split
first_frame | meta | Int64 | 1 | `frame` in packets of its first frame, missing when there is none
last_frame | meta | Int64 | 1 | `frame` in packets of its last frame
time | time | utc | | virtual time of its start, UTC
start_ns | time | int64 | ns | the same, since the epoch
end_ns | time | int64 | ns | time of its end: from then on the row is known
weekday | time | int8 | 1 | local day of the week, Monday is 0
hour | time | float | h | local time of day of its start
packets | feature | int32 | 1 | frames of the sensor's connections
bytes | feature | int64 | bytes | their bytes on the wire
up_packets | feature | int32 | 1 | those towards the broker
up_bytes | feature | int64 | bytes | their bytes on the wire
size_min | feature | float | bytes | smallest frame
size_mean | feature | float | bytes | mean length of a frame
size_std | feature | float | bytes | standard deviation of the lengths (n - 1), missing with fewer than two frames
size_max | feature | float | bytes | largest frame
iat_min | feature | float | s | smallest time between two frames, missing with fewer than two
iat_mean | feature | float | s | mean time between two frames
iat_std | feature | float | s | standard deviation of these times (n - 1), missing with fewer than three frames
iat_max | feature | float | s | largest time between two frames
connections | feature | int32 | 1 | connections opened: CONNECT messages
resets | feature | int32 | 1 | segments with RST
retransmissions | feature | int32 | 1 | segments whose payload was sent before
publishes | feature | int32 | 1 | frames from the sensor whose first message is a PUBLISH
publish_iat_min | feature | float | s | smallest time between two of them, missing with fewer than two
publish_iat_mean | feature | float | s | mean time between two of them
publish_iat_std | feature | float | s | standard deviation of these times (n - 1), missing with fewer than three
publish_iat_max | feature | float | s | largest time between two of them
slots | feature | int32 | 1 | readings planned (published captures: readings received)
deliveries | feature | int32 | 1 | PUBLISH messages received in these slots
missing | feature | int32 | 1 | slots without a delivery (published captures: 0, because it is not known)
arp_frames | feature | int32 | 1 | ARP frames in these slots that name the unit's address
arp_conflicts | feature | int32 | 1 | those among them that claim an address first seen with another MAC
value_min | value | float | °C | smallest value published
value_mean | value | float | °C | mean of the values published
value_std | value | float | °C | their standard deviation (n - 1), missing with fewer than two
value_max | value | float | °C | largest value published
dev_max | value | float | °C | largest abs_dev of these slots: distance of a value from the median of the sensor's previous 12
attack_packets | label | int32 | 1 | frames of its connections that the journals (or the label table) call an attack
attack_readings | label | int32 | 1 | readings of these slots that they call an attack, removed ones included
"""
