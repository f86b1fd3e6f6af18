"""Where an account's files lie: in a folder of its own under that of uploads and that of exports.

API and workers share both, and nothing else is in them.
"""

from pathlib import Path

from engine.settings import Settings


def uploads(settings: Settings, account_id: int) -> Path:
    """The folder of the account's uploads."""
    return settings.uploads / str(account_id)


def exports(settings: Settings, account_id: int) -> Path:
    """The folder of the account's exports."""
    return settings.exports / str(account_id)
