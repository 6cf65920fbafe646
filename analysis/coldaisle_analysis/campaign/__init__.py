"""What a campaign tells: models learned on training weeks, set on validation weeks, and tested once on test weeks."""

from coldaisle_analysis.campaign.analysis import analyse
from coldaisle_analysis.campaign.other_captures import Against

__all__ = ["Against", "analyse"]
