"""Scheduled work: one weekly run from source files to reports, and the record of what ran."""
