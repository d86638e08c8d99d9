"""From results rows to metrics.json and the reports that people read."""
