"""Evaluation: every model on every split of a level, with grouped folds, nested tuning and alarm policies."""
