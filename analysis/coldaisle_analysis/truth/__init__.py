"""Labels of frames and fates of readings, from the journals and captures of a run, and the ledger that checks them."""
