"""In front of the real one on the path of the daemon: a station has none, and structlog does without."""

raise ImportError("a station has no rich")
