"""How logs look: one event a line with its fields, on the standard error stream. What libraries log looks the same."""

import logging
import sys

import structlog
from structlog.types import Processor

from engine.settings import Settings

#: What every line gets, whether Muster or a library wrote it.
SHARED: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


def configure(settings: Settings) -> None:
    """Sets up logging for this process."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    rendering = _rendering(settings)
    structlog.configure(
        processors=[*SHARED, *rendering],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*SHARED, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    # Libraries tell at "info" what they do all day.
    logging.basicConfig(level=max(level, logging.WARNING), handlers=[handler], force=True)
    # While the database is away it would tell so every second, and who needs a connection tells it anyhow.
    logging.getLogger("asyncpg.pool").setLevel(logging.ERROR)


def _rendering(settings: Settings) -> list[Processor]:
    if settings.log_format == "text":
        return [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
