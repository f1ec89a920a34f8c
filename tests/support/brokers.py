"""Other brokers that a platform may run, as Debian packages them: private processes on free ports in a folder.

A cluster is a list of them that know each other; a client may go to any.
"""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.support.processes import Server, free_port

RABBIT = "/usr/lib/rabbitmq/bin/rabbitmq-server"
NATS = shutil.which("nats-server") or "/usr/sbin/nats-server"


class Packaged(Server):
    """Stopped and started again it keeps port, sessions and what waits in them."""

    five = False
    tls = None

    @property
    def url(self) -> str:
        return f"mqtt://localhost:{self.port}"


class Nats(Packaged):
    """`routes` are the ports over which the nodes of its cluster speak with each other, its own the first."""

    def __init__(self, folder: Path, routes: Sequence[int] = ()) -> None:
        super().__init__(folder, "nats")
        config = self._folder / "nats.conf"
        replicas = max(1, len(routes))  # by itself it takes as many as it knows of when the first client comes
        lines = [
            f'server_name: "node-{self.port}"',
            f'listen: "127.0.0.1:{free_port()}"',
            f'mqtt {{ listen: "127.0.0.1:{self.port}", stream_replicas: {replicas} }}',
            f'jetstream {{ store_dir: "{self._folder}/store" }}',
        ]
        if routes:
            others = ", ".join(f'"nats://127.0.0.1:{port}"' for port in routes[1:])
            lines.append(f'cluster {{ name: "stations", listen: "127.0.0.1:{routes[0]}", routes: [{others}] }}')
        config.write_text("\n".join([*lines, ""]))
        self.command = [NATS, "-c", str(config)]

    @classmethod
    def cluster(cls, folder: Path, nodes: int) -> list["Nats"]:
        routes = [free_port() for _ in range(nodes)]
        return [cls(folder, [*routes[node:], *routes[:node]]) for node in range(nodes)]


class Rabbit(Packaged):
    starts_s, ends_s = 120.0, 60.0

    def __init__(self, folder: Path, mapper: int | None = None) -> None:
        """`mapper` is the port at which all nodes of a cluster tell where they are."""
        super().__init__(folder, "rabbitmq")
        self.node = f"station-{self.port}@localhost"
        self._mapper = str(mapper or free_port())
        inner, distribution = free_port(), str(free_port())
        (self._folder / "plugins").write_text("[rabbitmq_mqtt].\n")
        (self._folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.local = 127.0.0.1:{inner}\nmqtt.listeners.tcp.local = 127.0.0.1:{self.port}\n"
            "mqtt.allow_anonymous = true\ntcp_listen_options.nodelay = true\n"
        )
        self.command = [RABBIT]
        self.environment: dict[str, str] = {
            "HOME": str(self._folder),
            "RABBITMQ_NODENAME": self.node,
            "RABBITMQ_MNESIA_BASE": str(self._folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self._folder / "logs"),
            "RABBITMQ_CONFIG_FILE": str(self._folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self._folder / "plugins"),
            "RABBITMQ_DIST_PORT": distribution,
            "ERL_EPMD_PORT": self._mapper,
            "RUNNING_UNDER_SYSTEMD": "true",  # else a shell stands between us and it, and dies in its place
        }

    @classmethod
    def cluster(cls, folder: Path, nodes: int) -> list["Rabbit"]:
        """Sessions are kept by a majority of the nodes: so it must be asked for."""
        mapper = free_port()
        made = [cls(folder, mapper) for _ in range(nodes)]
        (folder / ".erlang.cookie").write_text("station")
        (folder / ".erlang.cookie").chmod(0o400)
        names = [f"cluster_formation.classic_config.nodes.{place} = {each.node}" for place, each in enumerate(made, 1)]
        for each in made:
            each.environment["HOME"] = str(folder)
            with (each._folder / "rabbitmq.conf").open("a") as config:
                config.write("\n".join(["mqtt.durable_queue_type = quorum", *names, ""]))
        return made

    def __exit__(self, *arguments: object) -> None:
        super().__exit__(*arguments)
        subprocess.run(["epmd", "-port", self._mapper, "-kill"], capture_output=True, check=False)
