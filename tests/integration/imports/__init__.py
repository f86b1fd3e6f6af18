"""Imports from submission to the last row (contract v3.md 3.8 and 3.9)."""
