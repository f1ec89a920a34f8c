"""A consumer of alerts to begin from: it loses none, and tells each press once. consumer.md says why it is as it is.

    python consumer.py NAME STORE HOST [PORT]

Run several over one STORE, each under a NAME of its own that stays. `press` tells a new one, `also` where else it was
heard; to accept an alert, write its topic as a line to standard input, that of each station. Needs Python 3.11 and
paho-mqtt 2, and nothing of the gateway.
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
CREATE TABLE IF NOT EXISTS number (source, epoch, first, last, alerts, PRIMARY KEY (source, epoch, first, last));
CREATE TABLE IF NOT EXISTS press (alert, n, source, key, whose, at, joined, PRIMARY KEY (alert, n));
CREATE INDEX IF NOT EXISTS press_at ON press (at);
CREATE TABLE IF NOT EXISTS hole (source, epoch, first, last, seen, PRIMARY KEY (source, epoch, first, last));"""
JOINED = """SELECT joined FROM press AS other WHERE at BETWEEN :at - 600 AND :at + 600
AND (key = :key OR (key IS NULL OR :key IS NULL) AND whose = :whose AND abs(at - :at) <= 30)
AND NOT EXISTS (SELECT * FROM press WHERE joined = other.joined AND source = :source) ORDER BY abs(at - :at)"""
HOLES = """INSERT INTO hole SELECT :source, epoch, reached + 1, begins - 1, 1 FROM (
SELECT epoch, max(last) OVER lane AS reached, lead(first) OVER lane AS begins FROM number
WHERE source = :source AND epoch IN (SELECT epoch FROM number WHERE source = :source AND alerts)
WINDOW lane AS (PARTITION BY epoch ORDER BY first, last)) WHERE begins > reached + 1
ON CONFLICT DO UPDATE SET seen = seen + 1 RETURNING epoch, first, last, seen"""
TOPICS = ["398/v1/+/state", "398/v1/+/response/+"]
TOPICS += [f"$share/desks/398/v1/+/{what}" for what in ("alert/+", "gap", "health")]


def subscribe(client: Client, *_: Any) -> None:
    client.subscribe([(topic, 1) for topic in TOPICS])


def take(client: Client, store: sqlite3.Connection, message: MQTTMessage) -> None:
    """Store it and tell what is new; only then may the broker forget it."""
    source, what, *_ = message.topic.removeprefix("398/v1/").split("/")
    try:
        with store:
            store.execute("BEGIN IMMEDIATE")
            told = list(news(store, source, what, json.loads(message.payload), kept=message.retain))
    except (KeyError, TypeError, ValueError, sqlite3.ProgrammingError) as error:
        told = [f"unreadable {message.topic}: {error!r}"]
    for line in told:
        print(line, flush=True)
    client.ack(message.mid, message.qos)
    if what == "state" or (what == "health" and told):
        ask(client, f"398/v1/{source}/request/alerts", args={})


def news(store: sqlite3.Connection, source: str, what: str, body: Any, *, kept: bool = False) -> Iterator[str]:
    match what, body:
        case "alert" | "gap", {"id": str(ident), "data": dict(told)}:
            row = source, ident, json.dumps(body)
            if not store.execute("INSERT OR IGNORE INTO message VALUES (?, ?, ?)", row).rowcount:
                return
            epoch, seq = ident.rsplit("-", 1)
            number(store, source, epoch, int(seq), int(seq), alerts=what == "alert")
            if what == "alert":
                yield from presses(store, source, told)
            elif told["first"] is not None:
                number(store, source, told["epoch"], told["first"], told["last"], alerts=False)
        case "state", {"lanes": {"alert": {"epoch": epoch, "next": begins}}}:
            standing(store, source, epoch, begins, kept=kept)
        case "response", {"result": {"alerts": [*open_alerts]}}:
            for alert in open_alerts:
                yield from presses(store, source, alert)
        case "response", {"id": ident, "status": status, "error": error}:
            yield f"answer {ident} {status} {error or ''}"
        case "health", _:
            holes = store.execute(HOLES, {"source": source}).fetchall()
            yield from (f"missing {source} {epoch} {first}-{last}" for epoch, first, last, seen in holes if seen == 2)


def standing(store: sqlite3.Connection, source: str, epoch: str, begins: int, *, kept: bool) -> None:
    """A state that the broker kept for new subscribers may be long of the past: of a new epoch it proves no loss."""
    if not kept or store.execute("SELECT * FROM number WHERE (source, epoch) = (?, ?)", (source, epoch)).fetchone():
        number(store, source, epoch, begins, begins - 1, alerts=True)


def number(store: sqlite3.Connection, *row: str | int, alerts: bool) -> None:
    store.execute("INSERT OR IGNORE INTO number VALUES (?, ?, ?, ?, ?)", (*row, alerts))


def presses(store: sqlite3.Connection, source: str, alert: dict[str, Any]) -> Iterator[str]:
    """Those that no station has told before. A press is known by its alert and its place among all of that alert's."""
    whose = "{wearer} {kind} {service} {test}".format_map(alert)
    for place, press in enumerate(alert["presses"]):
        n = place and alert["press_count"] - len(alert["presses"]) + place
        if store.execute("SELECT * FROM press WHERE alert = ? AND n = ?", (alert["id"], n)).fetchone():
            continue
        row = {"alert": alert["id"], "n": n, "source": source, "key": press["key"], "own": f"{alert['id']}/{n}"}
        row |= {"whose": alert["wearer"] and whose, "at": datetime.fromisoformat(press["at"]).timestamp()}
        (row["joined"],) = store.execute(JOINED, row).fetchone() or (row["own"],)
        store.execute("INSERT INTO press VALUES (:alert, :n, :source, :key, :whose, :at, :joined)", row)
        topic = f"398/v1/{source}/alert/{alert['id']}"
        new = row["joined"] == row["own"]
        yield f"press {topic} {alert['severity']} {whose} {press['at']}" if new else f"also {topic} {row['joined']}"


def ask(client: Client, topic: str, **more: Any) -> None:
    client.publish(topic, json.dumps({"v": 1, "id": str(uuid.uuid4())} | more), 1)


def accept(client: Client) -> None:
    for topic in sys.stdin:
        ask(client, f"{topic.strip()}/ack", action="accept", by="desk-3")


def main(name: str, path: str, host: str, port: str = "1883") -> None:
    store = sqlite3.connect(path, timeout=60, isolation_level=None)
    store.executescript(TABLES)
    v5 = MQTTProtocolVersion.MQTTv5
    client = Client(CallbackAPIVersion.VERSION2, name, userdata=store, protocol=v5, manual_ack=True)
    client.on_connect, client.on_message = subscribe, take
    kept = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    kept.SessionExpiryInterval, kept.ReceiveMaximum = 7 * 86_400, 20
    client.connect_async(host, int(port), 15, clean_start=False, properties=kept)
    threading.Thread(target=accept, args=(client,), daemon=True).start()
    client.loop_forever(retry_first_connection=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
