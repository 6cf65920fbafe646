"""The report: one self-contained HTML page with figures, tables and conclusions."""
