"""A real Mosquitto on a free port, in the variants a station meets."""

import shutil
import signal
import subprocess
from pathlib import Path

from tests.support.certificates import Certificates
from tests.support.processes import Server

BINARY = shutil.which("mosquitto") or "/usr/sbin/mosquitto"


class Mosquitto(Server):
    """`kill` and `start` again keep sessions and retained messages, as a broker's own restart does. Besides ours it
    listens at another `address`, as a line has one."""

    five = True

    def __init__(
        self,
        folder: Path,
        *,
        users: dict[str, str] | None = None,
        acl: str | None = None,
        tls: Certificates | None = None,
        address: str | None = None,
        extra: str = "",
    ) -> None:
        super().__init__(folder, "mosquitto")
        self.tls = tls
        lines = [
            "user root",
            f"listener {self.port} 127.0.0.1",
            *([f"listener {self.port} {address}"] if address else []),
            "persistence true",
            f"persistence_location {self._folder}/",
            "autosave_interval 1",
            "autosave_on_changes true",
            "max_queued_messages 1000000",  # with 0 Mosquitto 2.0.11 hangs up on whoever it denies a publish
            "max_inflight_messages 1000",
            "set_tcp_nodelay true",
            f"allow_anonymous {'false' if users else 'true'}",
        ]
        if users:
            lines.append(f"password_file {self._passwords(users)}")
        if acl is not None:
            (self._folder / "acl").write_text(acl)
            lines.append(f"acl_file {self._folder / 'acl'}")
        if tls is not None:
            lines += [f"cafile {tls.ca}", f"certfile {tls.server}", f"keyfile {tls.server_key}"]
            lines += ["require_certificate true", "use_identity_as_username false"]
        config = self._folder / "mosquitto.conf"
        config.write_text("\n".join([*lines, extra, ""]))
        self.command = [BINARY, "-c", str(config), "-v"]

    @property
    def url(self) -> str:
        return f"{'mqtts' if self.tls else 'mqtt'}://localhost:{self.port}"

    def url_at(self, address: str) -> str:
        return f"mqtt://{address}:{self.port}"

    def freeze(self, *, frozen: bool) -> None:
        """Stop it in its tracks, connections and all, or let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP if frozen else signal.SIGCONT)

    def allow(self, acl: str) -> None:
        """Another access list, taken up at once."""
        assert self._process is not None
        (self._folder / "acl").write_text(acl)
        self._process.send_signal(signal.SIGHUP)

    def _passwords(self, users: dict[str, str]) -> Path:
        path = self._folder / "passwords"
        path.touch()
        for user, password in users.items():
            subprocess.run(["mosquitto_passwd", "-b", str(path), user, password], check=True)
        return path
