"""The smallest receiver of alerts that loses none and tells each press once: python receive.py NAME STORE HOST [PORT].

Run several over one STORE, each under a NAME that stays. An alert's topic as a line of input accepts it. It leaves out
joining presses that have no key, noticing what is missing, and asking for what is open: consumer.py does all of that.
"""

import json
import sqlite3
import sys
import threading
import uuid
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

TABLES = """PRAGMA journal_mode = WAL;
CREATE TABLE IF NOT EXISTS message (source, id, body, PRIMARY KEY (source, id));
CREATE TABLE IF NOT EXISTS press (alert, n, source, key, at, PRIMARY KEY (alert, n));
CREATE INDEX IF NOT EXISTS press_key ON press (key);"""
SAME = "SELECT source, count(*) FROM press WHERE key = ? AND abs(at - ?) <= 600 GROUP BY source"


def subscribe(client: Client, *_: Any) -> None:
    client.subscribe("$share/receivers/398/v1/+/alert/+", 1)


def take(client: Client, store: sqlite3.Connection, message: MQTTMessage) -> None:
    try:
        with store:
            store.execute("BEGIN IMMEDIATE")
            told = list(news(store, message.topic, json.loads(message.payload)))
    except (KeyError, TypeError, ValueError, AttributeError, sqlite3.ProgrammingError) as error:
        told = [f"unreadable {message.topic}: {error!r}"]
    for line in told:
        print(line, flush=True)
    client.ack(message.mid, message.qos)  # it is on the disk: now the broker may forget it


def news(store: sqlite3.Connection, topic: str, body: dict[str, Any]) -> Iterator[str]:
    source, alert = topic.partition("/alert/")[0], body["data"]
    row = source, body["id"], json.dumps(body)
    if not store.execute("INSERT OR IGNORE INTO message VALUES (?, ?, ?)", row).rowcount:
        return
    for place, press in enumerate(alert["presses"]):
        n = place and alert["press_count"] - len(alert["presses"]) + place  # the list has at most 50 of them
        key, at = press["key"] or f"{alert['id']}/{n}", datetime.fromisoformat(press["at"]).timestamp()
        known = "INSERT OR IGNORE INTO press VALUES (?, ?, ?, ?, ?)", (alert["id"], n, source, key, at)
        if store.execute(*known).rowcount:
            stations = dict(store.execute(SAME, (key, at)))
            if stations.pop(source) > max(stations.values(), default=0):  # more than any other station has told of
                yield f"press {topic} {alert['severity']} {alert['wearer']} {alert['kind']} {press['at']}"


def accept(client: Client) -> None:
    for topic in sys.stdin:
        order = {"v": 1, "id": str(uuid.uuid4()), "action": "accept", "by": "desk-3"}
        client.publish(f"{topic.strip()}/ack", json.dumps(order), 1)


def main(name: str, path: str, host: str, port: str = "1883") -> None:
    store = sqlite3.connect(path, timeout=60, isolation_level=None)
    store.executescript(TABLES)
    v5, kept = MQTTProtocolVersion.MQTTv5, Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    kept.SessionExpiryInterval, kept.ReceiveMaximum = 7 * 86_400, 20
    client = Client(CallbackAPIVersion.VERSION2, name, userdata=store, protocol=v5, manual_ack=True)
    client.on_connect, client.on_message = subscribe, take
    client.connect_async(host, int(port), 15, clean_start=False, properties=kept)
    threading.Thread(target=accept, args=(client,), daemon=True).start()
    client.loop_forever(retry_first_connection=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
