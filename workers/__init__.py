"""Workers: they bring activities to the engine. Dramatiq on Redis or Valkey says that an activity waits; what is true
about it stands in its row, so a message may be lost, doubled or reordered without harm.

A worker (`app.py`) runs processes (`process.py`), each for one queue. A process opens its database and does activities
(`work.py`), keeps its leases and looks for what got lost (`rounds.py`).
"""
