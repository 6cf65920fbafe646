"""Earliness of detection: cases, ERDE, F-latency, recall against delay, and alarm policies."""
