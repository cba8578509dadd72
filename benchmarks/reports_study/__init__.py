"""Ways to run many report notebooks, for ``benchmarks/reports.py``."""
