"""The parts of the win probability benchmark: tables, peers, comparison, streams, coverage of intervals, scoring."""
