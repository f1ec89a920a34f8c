"""Structured logs on standard error: for people on a terminal, JSON lines otherwise."""

import logging
import sys
from typing import Any

import structlog


def hush() -> None:
    """No logs at all: on the bench what a technician must know is shown among what is heard."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def configure(level: str = "info", form: str = "auto") -> None:
    """`form` is `auto`, `console` or `json`; libraries' own warnings come the same way."""
    console = form == "console" or (form == "auto" and sys.stderr.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    plain = structlog.dev.plain_traceback  # no local variables: secrets and addresses stand in them
    tracebacks = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
    exceptions: list[Any] = [] if console else [structlog.processors.ExceptionRenderer(tracebacks)]
    renderer: Any = structlog.processors.JSONRenderer()
    if console:
        renderer = structlog.dev.ConsoleRenderer(exception_formatter=plain)
    structlog.configure(
        processors=[*shared, *exceptions, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        foreign_pre_chain=[*shared, *exceptions],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
