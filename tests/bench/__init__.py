"""Measurements: ours beside a baseline. Never a timed assertion."""
