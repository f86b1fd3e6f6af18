"""Tests by layer: unit, integration, e2e, faults, bench."""
