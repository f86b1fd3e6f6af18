"""The HTTP front of Muster: parses, calls the engine, formats. One package a dialect. It knows no SQL.

To add a dialect, copy the shape of `v3`: a table of routes, a function that words a refusal, and the way it finds out
who asks, in one `Dialect` (dialects.py); then name it in `app.py`.
"""
