"""The figures of the report; each function returns inline SVG."""
