"""ThingsBoard's gateway: JSON through its MQTT connector in, and out to a broker that plays ThingsBoard's server."""

import json
import os
import shutil
import sqlite3
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from tests.bench.peers.heard import KEEPS, Heard, Reading
from tests.bench.peers.side import Side, device
from tests.bench.rig import QUIET
from tests.support.mosquitto import Mosquitto
from tests.support.processes import end

ENVIRONMENT = Path(".venv-peers").absolute()
PACKAGE = next(ENVIRONMENT.glob("lib/python3*/site-packages/thingsboard_gateway"), ENVIRONMENT)
TELEMETRY, ASKED, ANSWER = "v1/gateway/telemetry", "v1/devices/me/rpc/request/+", "v1/devices/me/rpc/response/"
LIMITS = {"maxPayloadSize": 65_536, "maxInflightMessages": 100, "rateLimits": {}, "gatewayRateLimits": {}}
"""What a ThingsBoard that limits nothing answers."""
VALUES = {"battery_level": 88, "heart_rate": 72, "spo2": 97, "skin_temperature": 33.12}
STATES = {"worn": True, "charging": False, "moving": True}


class ThingsBoard(Side):
    """Its storage on the disk, and whatever its own default is elsewhere; a session on the local broker that lasts."""

    name = "thingsboard-gateway"

    def __init__(self, base: Path, devices: int) -> None:
        self._base, self._devices = base, devices
        self.keep = base / "store"
        self._source, self._uplink = Mosquitto(base, extra=QUIET), Mosquitto(base, extra=KEEPS)
        self.heard = Heard(self._uplink, [TELEMETRY, ASKED])
        self._in = Client(CallbackAPIVersion.VERSION2, "street")
        self._process: subprocess.Popen[bytes] | None = None
        self._open = ExitStack()
        python = ENVIRONMENT / "bin/python"
        asked = [str(python), "-c", "from importlib.metadata import version; print(version('thingsboard-gateway'))"]
        self.version = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()

    def __enter__(self) -> Self:
        self.keep.mkdir(exist_ok=True)
        self._configure(self._base / "config")
        self._open.enter_context(self._source)
        self._open.enter_context(self._uplink)
        self.heard.client.message_callback_add(ASKED, self._answer)
        self._open.enter_context(self.heard)
        self._in.connect("localhost", self._source.port)
        self._in.loop_start()
        self._open.callback(self._in.loop_stop)
        self._open.callback(self._in.disconnect)
        self.start()
        self._open.callback(lambda: end(self._running(), 20))
        self.greet(self._devices)
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def say(self, readings: Sequence[Reading]) -> None:
        for each in readings:
            self._publish(each.device, {**VALUES, "steps": each.steps, **STATES})

    def press(self, number: int) -> None:
        self._publish(device(number), {**VALUES, "steps": 0, **STATES, "sos": True})

    def readings(self) -> Counter[Reading]:
        return Counter(Reading(name, values["steps"]) for _, name, values in self._came() if "steps" in values)

    def presses(self) -> dict[str, int]:
        return {name: at for at, name, values in reversed(list(self._came())) if "sos" in values}

    def stored(self) -> int:
        with sqlite3.connect(f"file:{self.keep / 'data.db'}?mode=ro", uri=True) as db:
            return int(db.execute("SELECT COUNT(*) FROM messages").fetchone()[0])

    def told(self) -> str:
        return "it has no word for what is lost"

    def pid(self) -> int:
        return self._running().pid

    def kill(self) -> None:
        self._running().kill()
        self._running().wait()

    def start(self) -> None:
        with (self._base / "out").open("ab") as out:
            environment = os.environ | {"TB_GW_CONFIG_DIR": str(self._base / "config")}
            command = [ENVIRONMENT / "bin/thingsboard-gateway"]
            self._process = subprocess.Popen(command, cwd=self._base, env=environment, stdout=out, stderr=out)

    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process

    def _publish(self, name: str, values: dict[str, Any]) -> None:
        self._in.publish(f"street/{name}", json.dumps(values), 1)

    def _came(self) -> Iterator[tuple[int, str, dict[str, Any]]]:
        for each in self.heard.came:
            for name, told in json.loads(each.payload).items():
                yield from ((each.at, name, one["values"]) for one in told)

    @staticmethod
    def _answer(client: Client, _userdata: object, message: MQTTMessage) -> None:
        if json.loads(message.payload)["method"] == "getSessionLimits":
            client.publish(ANSWER + message.topic.rsplit("/", 1)[1], json.dumps(LIMITS), 1)

    def _configure(self, folder: Path) -> None:
        folder.mkdir()
        shutil.copy(PACKAGE / "config/logs.json", folder)
        shipped = json.loads((PACKAGE / "config/tb_gateway.json").read_text())
        shipped["thingsboard"] |= {"host": "127.0.0.1", "port": self._uplink.port, "remoteConfiguration": False}
        shipped["thingsboard"] |= {"syncDevicesSharedAttributesOnConnect": False}
        shipped["storage"] = {"type": "sqlite", "data_file_path": f"{self.keep}/"}
        shipped["connectors"] = [{"type": "mqtt", "name": "street", "configuration": "street.json"}]
        (folder / "tb_gateway.json").write_text(json.dumps(shipped))
        (folder / "street.json").write_text(json.dumps(self._connector()))

    def _connector(self) -> dict[str, Any]:
        session = {"cleanSession": False, "cleanStart": False, "sessionExpiryInterval": 86_400}
        broker = {"host": "127.0.0.1", "port": self._source.port, "clientId": "gateway", "version": 5} | session
        named = {"deviceNameExpressionSource": "topic", "deviceNameExpression": "(?<=street/)(.*)"}
        profiled = {"deviceProfileExpressionSource": "constant", "deviceProfileExpression": "398"}
        converter = {"type": "json", "deviceInfo": named | profiled, "timeseries": ["*"], "attributes": []}
        mapping = {"topicFilter": "street/+", "subscriptionQos": 1, "converter": converter}
        return {"broker": broker | {"security": {"type": "anonymous"}}, "mapping": [mapping], "requestsMapping": {}}
