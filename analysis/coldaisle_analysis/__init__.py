"""From captures and journals to a labelled dataset, statistics, models and a report."""
