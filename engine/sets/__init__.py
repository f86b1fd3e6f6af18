"""Contact sets: how they are stored, named, combined and changed."""
