"""Studies behind ``benchmarks/coaching.py``: flags, quiet companies, causes, effects, early warnings."""
