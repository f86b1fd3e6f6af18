"""Real API and worker processes, over HTTP."""
