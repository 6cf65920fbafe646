"""Labels and fates: the journals of a run joined with its capture, and the proof that everything adds up."""
