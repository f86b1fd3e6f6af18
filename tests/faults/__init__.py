"""Killed workers, lost messages, servers that go away."""
