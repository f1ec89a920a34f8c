"""Other brokers that a platform may run, as Debian packages them: private processes on free ports in a folder."""

import os
import shutil
import signal
import subprocess
from abc import abstractmethod
from pathlib import Path
from typing import Self

from tests.support.processes import accepts, free_port, wait_for

RABBIT = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
NATS = shutil.which("nats-server") or "/usr/sbin/nats-server"


class Packaged:
    """Stopped and started again it keeps port, sessions and what waits in them."""

    five = False
    tls = None
    start_s = 10.0

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.folder = folder / f"{type(self).__name__.lower()}-{self.port}"
        self.folder.mkdir(parents=True)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"mqtt://localhost:{self.port}"

    @abstractmethod
    def command(self) -> list[str]: ...

    def environment(self) -> dict[str, str]:
        return {}

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            environment = os.environ | self.environment()
            self._process = subprocess.Popen(
                self.command(), stdout=log, stderr=log, env=environment, start_new_session=True
            )
        wait_for(lambda: accepts(self.port), self.start_s, f"it accepts: see {self.folder}/log")

    def stop(self) -> None:
        """In peace, with all that it has started."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGTERM)
            self._process.wait(60)
            self._process = None


class Nats(Packaged):
    def command(self) -> list[str]:
        listening = f'listen: "127.0.0.1:{free_port()}"\nmqtt {{ listen: "127.0.0.1:{self.port}" }}\n'
        stored = f'server_name: station\njetstream {{ store_dir: "{self.folder}/store" }}\n'
        (self.folder / "nats.conf").write_text(listening + stored)
        return [NATS, "-c", str(self.folder / "nats.conf")]


class Rabbit(Packaged):
    start_s = 120.0

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._ports = [str(free_port()) for _ in range(3)]
        (self.folder / "plugins").write_text("[rabbitmq_mqtt].\n")
        (self.folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.local = 127.0.0.1:{self._ports[0]}\nmqtt.listeners.tcp.local = 127.0.0.1:{self.port}\n"
            "mqtt.allow_anonymous = true\ntcp_listen_options.nodelay = true\n"
        )

    def command(self) -> list[str]:
        return [str(RABBIT)]

    def environment(self) -> dict[str, str]:
        return {
            "HOME": str(self.folder),
            "RABBITMQ_NODENAME": f"station-{self.port}@localhost",
            "RABBITMQ_MNESIA_BASE": str(self.folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.folder / "logs"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            "RABBITMQ_DIST_PORT": self._ports[1],
            "ERL_EPMD_PORT": self._ports[2],
        }

    def __exit__(self, *arguments: object) -> None:
        super().__exit__(*arguments)
        subprocess.run(["epmd", "-port", self._ports[2], "-kill"], capture_output=True, check=False)
