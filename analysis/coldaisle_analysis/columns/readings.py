"""Level ``readings``: one row per planned reading."""

TABLE = """\
unit | identity | text | | cooling unit (published captures: client id without its last digit, or the address)
sensor | identity | int16 | 1 | sensor number: 1 coolant in, 2 coolant out, 3 supply air, 4 return air
client_id | identity | text | | MQTT client id of the sensor (other captures: its address where it has none)
series | identity | text | | name of the series: the client id of an InRow's sensor (other captures: publisher, topic and field)
slot | meta | int32 | 1 | slot of the reading, from 0 (published captures: order of arrival)
day | meta | int16 | 1 | day of the run, from 1; the unit of every split
time | time | utc | | virtual time the reading was planned for, UTC
planned_ns | time | int64 | ns | the same, since the epoch
decided_ns | time | int64 | ns | end of the slot: features use only what the broker saw until then
arrival_ns | time | Int64 | ns | when the slot's first delivery was complete at the broker
weekday | time | int8 | 1 | local day of the week, Monday is 0
hour | time | float | h | local time of day of the slot
first_frame | meta | Int64 | 1 | `frame` in packets of the slot's first delivery
last_frame | meta | Int64 | 1 | `frame` in packets of the slot's last delivery
value | value | float | °C | first value the broker received in the slot; missing when there was none
diff | value | float | °C | change since the sensor's last value received
abs_diff | value | float | °C | absolute value of diff
dev | value | float | °C | value minus the median of the sensor's previous 12 values
abs_dev | value | float | °C | absolute value of dev
dev_long | value | float | °C | value minus the median of the sensor's previous 48 values
dev_mean | value | float | °C | mean of dev_long over this slot and the previous 3
score | value | float | 1 | abs_dev divided by the median abs_dev of the sensor's previous 48 values
dev_siblings | value | float | °C | dev minus the median dev of the unit's other sensors in the slot
dev_units | value | float | °C | dev minus the median dev of the same sensor of the other units in the slot
long_siblings | value | float | °C | dev_long minus the median dev_long of the unit's other sensors in the slot
joint_jump | value | float | °C | median abs_diff of the unit's other sensors in the slot: large when all jump together
spread | value | float | °C | standard deviation of the sensor's last 4 values
run | value | float | 1 | how many values received in a row are equal, this one included
slot_range | value | float | °C | largest minus smallest value received in the slot
deliveries | feature | float | 1 | PUBLISH messages received in the slot
missing | feature | float | 1 | 1 if no PUBLISH came in the slot
missing_run | feature | float | 1 | slots in a row without a delivery, this one included
unit_missing | feature | float | 1 | how many of the unit's other sensors sent nothing in the slot
unit_deliveries | feature | float | 1 | mean deliveries of the unit's other sensors in the slot
iat | feature | float | s | time between the slot's first delivery and the sensor's previous delivery
late | feature | float | s | iat minus the median iat of the sensor's previous 48 values
overdue | feature | float | s | time since the sensor's last delivery when the slot ends
min_gap | feature | float | s | smallest time between two deliveries in the slot; missing with fewer than two
ack_s | feature | float | s | time between the broker's PUBACK and the sensor's next packet, first delivery
packets | feature | float | 1 | packets of the sensor's connection in the slot
retransmissions | feature | float | 1 | retransmissions on the sensor's connection in the slot
arp_frames | feature | float | 1 | ARP frames in the slot that name the unit's address
arp_conflicts | feature | float | 1 | those among them that claim an address first seen with another MAC
eth_src_changed | identity | Int8 | 1 | 1 if the first delivery came from another MAC than the unit's first
taken_ns | label | Int64 | ns | when the sensor took the reading, virtual time; missing when a silent sensor took none
stamp_ns | label | Int64 | ns | the same by the sensor's own corrected clock
value_sent | label | float | °C | value the sensor sent
value_received | label | float | °C | value of this reading at the broker; missing when removed
fate | label | text | | delivered, delayed, modified or removed
copies | label | int16 | 1 | copies of the reading delivered by the attacker, or by a sensor that repeats itself
"""
