"""Where an account's files lie: in a folder of its own under that of uploads and that of exports.

API and workers share both, and nothing else is in them.
"""

from pathlib import Path

from engine.settings import Settings


def uploads(settings: Settings, account_id: int) -> Path:
    """The folder of the account's uploads."""
    return settings.uploads / str(account_id)


def uploaded(settings: Settings, path: Path) -> str:
    """What requests call an uploaded file: its name in the folder of all uploads."""
    return str(path.relative_to(settings.uploads))


def exports(settings: Settings, account_id: int) -> Path:
    """The folder of the account's exports."""
    return settings.exports / str(account_id)
