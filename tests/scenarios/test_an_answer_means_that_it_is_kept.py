"""A device that waits for an answer gets it once its word is on the disk, not before: then it may stop repeating it."""

import sqlite3
import time
from pathlib import Path

from tests.support.cloud import Cloud
from tests.support.daemon import Daemon
from tests.support.mosquitto import Mosquitto
from tests.support.processes import wait_for
from tests.support.receiver import Receiver

WATCH = "6907919734"
ALARM = "AL_LTE,170525,214118,V,0,N,0,E,0,0,0,0,0,22,0,0,00010000,0,0,0"
LINKED = "LK,50,100,100"


def said(content: str) -> bytes:
    return f"[3G*{WATCH}*{len(content):04x}*{content}]".encode()


def alerts_kept(file: Path) -> int:
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as database:
        return int(database.execute("SELECT COUNT(*) FROM row WHERE topic LIKE '%/alert/%'").fetchone()[0])


def test_a_watch_is_answered_once_its_alarm_would_survive_a_kill_and_whenever_it_repeats_it(
    tmp_path: Path, broker: Mosquitto, receiver: Receiver
) -> None:
    broker.stop()
    daemon = Daemon(
        tmp_path / "box",
        [broker.url],
        more=f"serial: [{{port: {receiver.path}, profile: watch-3g, name: rx}}]",
    )
    (daemon.folder / "devices.yaml").write_text(f'devices: [{{id: watch-0001, address: "{WATCH}", wearer: w-0001}}]\n')
    file, answered = daemon.folder / "data" / "alert.db", said("AL")
    with daemon:
        wait_for(lambda: daemon.log(event="link up"), 5)
        holder = sqlite3.connect(file, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")  # somebody else has the file: the daemon can commit nothing
        receiver.write(said(ALARM))
        time.sleep(1.5)
        assert (receiver.sent_down, alerts_kept(file)) == (b"", 0)
        holder.execute("ROLLBACK")
        holder.close()
        wait_for(lambda: receiver.sent_down, 10, "the answer")
        daemon.kill()
        assert (receiver.sent_down, alerts_kept(file)) == (answered, 1)
        broker.start()
        daemon.restart()
        wait_for(lambda: len(daemon.log(event="link up")) == 2, 5)
        with Cloud(broker) as cloud:
            receiver.write(said(ALARM) + said(LINKED))
            wait_for(lambda: receiver.sent_down == answered * 2 + said("LK"), 10, "the answers to a copy and to a link")
            cloud.wait(lambda c: c.alerts(kind="sos", device="watch-0001"))
            cloud.wait(lambda c: c.readings())
            assert {alert["press_count"] for alert in cloud.alerts()} == {1}
            assert cloud.breaches == []
