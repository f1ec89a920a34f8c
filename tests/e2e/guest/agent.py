"""Runs in the machine: takes commands over a virtio port, runs them side by side, and sends back what they said.

One JSON object a line: {"id", "command", "timeout"} in, {"id", "code", "output"} out; {"id": 0} says that it is there.
"""

import json
import os
import subprocess
import threading
import time
from pathlib import Path

PORT = Path("/dev/virtio-ports/control")
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
}
TIMED_OUT = 124


class Agent:
    def __init__(self, port: int) -> None:
        self._port = port
        self._sending = threading.Lock()

    def serve(self) -> None:
        self._send({"id": 0})
        waiting = b""
        while True:
            read = os.read(self._port, 65536)
            if not read:  # nobody at the other end
                time.sleep(0.05)
            *lines, waiting = (waiting + read).split(b"\n")
            for line in lines:
                threading.Thread(target=self._run, args=(json.loads(line),), daemon=True).start()

    def _run(self, asked: dict) -> None:
        command = ["bash", "-c", asked["command"]]
        out = subprocess.PIPE
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, cwd="/root", env=ENVIRONMENT
        )
        try:
            output, _ = process.communicate(timeout=asked["timeout"])
            code = process.returncode
        except subprocess.TimeoutExpired:
            process.kill()
            output, _ = process.communicate()
            code = TIMED_OUT
        self._send({"id": asked["id"], "code": code, "output": output.decode(errors="replace")})

    def _send(self, said: dict) -> None:
        octets = json.dumps(said).encode() + b"\n"
        with self._sending:
            while octets:
                octets = octets[os.write(self._port, octets) :]


while not PORT.exists():
    time.sleep(0.05)
Agent(os.open(PORT, os.O_RDWR)).serve()
