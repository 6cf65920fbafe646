"""Series: the numbers that a publisher reports under one topic, or in one field of its payloads there."""
