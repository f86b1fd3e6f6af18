"""Making export files: what the columns are, the names of lists and tags in them, and the file itself.

PostgreSQL writes the rows as CSV and they go to the file as they come: memory does not depend on how many there are.
"""
