"""Earliness: how early a detector alarms and what that is worth; ERDE, F-latency, recall against delay, alarm policies."""
