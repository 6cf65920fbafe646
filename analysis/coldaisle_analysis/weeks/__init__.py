"""One dataset of many weeks: the rows of a campaign week by week, lazily as one dataset, and as a folder to publish."""

from coldaisle_analysis.weeks.campaign_data import CampaignData
from coldaisle_analysis.weeks.lazy import read_frame
from coldaisle_analysis.weeks.schema import frame_of, schema_of

__all__ = ["CampaignData", "frame_of", "read_frame", "schema_of"]
