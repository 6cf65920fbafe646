"""What commands print and draw: the timeline of a plan, the same as a picture, and lists."""
