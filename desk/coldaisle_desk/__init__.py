"""The live page: watch a run while it is made, read a finished one, look over a campaign."""
