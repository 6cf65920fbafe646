"""Decoding of captures of any size into two tables: one row per frame, and one row per MQTT control packet.

:mod:`files` reads pcap and pcapng in blocks, :mod:`kernel` fills columns from a block in one compiled pass, :mod:`batches` hands them
to Arrow, and :mod:`parquet` writes Parquet. :mod:`state` carries what later frames need to know of earlier ones; its size is bounded.
"""

from coldaisle_analysis.decoding.batches import Batch
from coldaisle_analysis.decoding.decoder import Decoder
from coldaisle_analysis.decoding.options import MqttOptions
from coldaisle_analysis.decoding.parquet import Written, write
from coldaisle_analysis.decoding.schema import SCHEMAS
from coldaisle_analysis.decoding.views import View

__all__ = ["SCHEMAS", "Batch", "Decoder", "MqttOptions", "View", "Written", "write"]
