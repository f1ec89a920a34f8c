"""The command line: one module for each command."""

from pathlib import Path

CONFIG = Path("/etc/station-gateway/gateway.yaml")
"""What every command reads where no other file is named."""
