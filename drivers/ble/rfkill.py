"""What the kernel's rfkill says of an adapter. Anybody may read it; lifting a block is for the reset unit."""

from pathlib import Path

SWITCHES = Path("/sys/class/rfkill")


def blocks(adapter: str) -> bool:
    """Whether the adapter is blocked, by software or by a switch on the box; false where rfkill does not know it."""
    return any(_word(switch / "name") == adapter and _on(switch) for switch in SWITCHES.glob("rfkill*"))


def _on(switch: Path) -> bool:
    return "1" in (_word(switch / "soft"), _word(switch / "hard"))


def _word(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return ""  # gone with its adapter
