"""Whoever stands at the box, with a shell."""

import json
import os
import subprocess
import sys
from typing import Any

from tests.support.daemon import Daemon


class Terminal:
    """A shell on the box."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon

    def __call__(self, *words: str, lang: str = "C.UTF-8") -> tuple[int, str]:
        """How a command ends, and what it says."""
        command = [sys.executable, "-m", "gateway.cli.main", *words, "--config", str(self._daemon.config)]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("LC_")} | {"LANG": lang}
        ended = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=30, check=False)
        return ended.returncode, ended.stdout + ended.stderr

    def json(self, *words: str) -> dict[str, Any]:
        code, out = self(*words, "--json")
        assert code == 0, out
        told: dict[str, Any] = json.loads(out)
        return told

    def story(self, alert: str) -> list[dict[str, Any]]:
        return [line["what"] for line in self.json("alerts", "show", alert)["story"]]
