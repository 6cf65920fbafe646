"""Campaigns: many weeks are played into one folder, by any number of runners on any number of machines."""
