"""One dataset of many weeks: the rows of a campaign, week by week."""

from coldaisle_analysis.weeks.campaign_data import CampaignData
from coldaisle_analysis.weeks.schema import schema_of

__all__ = ["CampaignData", "schema_of"]
