"""Runs in the machine: the daemon as it were with `synchronous=NORMAL`, for tests that must see it lose something."""

import functools
import sqlite3
import sys

from gateway.cli.main import main


class Careless(sqlite3.Connection):
    def execute(self, statement: str, *values: object) -> sqlite3.Cursor:
        return super().execute(statement.replace("synchronous=FULL", "synchronous=NORMAL"), *values)


sqlite3.connect = functools.partial(sqlite3.connect, factory=Careless)
sys.exit(main())
