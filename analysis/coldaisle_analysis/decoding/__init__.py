"""Decoding captures of any size: a table a row a frame, and a table a row an MQTT control packet.

:mod:`files` reads pcap and pcapng in blocks, :mod:`kernel` fills columns from a block in one compiled pass, :mod:`batches` hands them
to Arrow, :mod:`parquet` to Parquet. What has to be known of the frames before is carried in :mod:`state`, and bounded.
"""

from coldaisle_analysis.decoding.batches import Batch
from coldaisle_analysis.decoding.decoder import Decoder
from coldaisle_analysis.decoding.parquet import Written, write
from coldaisle_analysis.decoding.schema import SCHEMAS
from coldaisle_analysis.decoding.views import View

__all__ = ["SCHEMAS", "Batch", "Decoder", "View", "Written", "write"]
