"""Wiring: everything is made here once, joined, kept running and ended in order. Nothing is decided here."""

import asyncio
import random
import signal
from collections.abc import Awaitable, Callable
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING

import structlog

from drivers.ble.radio import Radio
from gateway import book, checkpoint, counters, episodes
from gateway.assurance import Assurance
from gateway.backoff import Backoff
from gateway.board import Board
from gateway.book import Book
from gateway.centre import Centre
from gateway.chronicle import Chronicle
from gateway.clock import Clock
from gateway.commands import Commands
from gateway.control import Control
from gateway.counters import Counters
from gateway.desk import Desk
from gateway.disk import Disk
from gateway.episodes import Episodes
from gateway.errors import StorageFailed
from gateway.evidence import Evidence
from gateway.folder import Folder
from gateway.forward import Lane
from gateway.health import Faults
from gateway.identity import unique_id
from gateway.journal import Journal
from gateway.lanes import Opened, open_store, plans, start_lane
from gateway.links import build_links
from gateway.model import AlertKind, Change, Gap
from gateway.normalise import Normaliser, Secrets
from gateway.notify import announce, notify, watch
from gateway.outages import Outages
from gateway.pipeline import Pipeline
from gateway.protection import Protection
from gateway.quarantine import Quarantine
from gateway.recorder import Recorder
from gateway.report import Report
from gateway.requests import Requests
from gateway.rounds import Rounds
from gateway.sensors import Sensors
from gateway.session import AlertUplink
from gateway.setup import Setup
from gateway.sinks.login import endpoints, login
from gateway.sounder import Sounder, reaches
from gateway.storage import Storage
from gateway.supervise import Kept, Run, Supervisor
from gateway.supervision import Supervision
from gateway.telemetry import Grouping, Telemetry
from gateway.tray import Then
from gateway.uplink import Brokers, Patience, Road, Shore, TelemetryUplink
from gateway.watch import Receivers, Watch
from gateway.wire import Json, Wire
from gateway.writes import Replies, Writes

if TYPE_CHECKING:
    from gateway.influx import InfluxLane

log = structlog.get_logger("app")

INNER = Backoff(base=0.05, cap=1.0)
CONTROL = Backoff(base=1.0, cap=10.0)
UPLINK_BASE_S = 0.5
HUSH_S = 1.0
DRAIN_S = 2.0
DELIVER_S = 1.0


async def serve(setup: Setup) -> None:
    """Run until SIGTERM or SIGINT. StorageFailed or FolderInUse where the data folder cannot be had."""
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    config = setup.config
    with Folder(config.data) as folder:
        station = Station(setup, folder)
        await station.start()
        ready = asyncio.create_task(announce("READY=1", f"STATUS={station.report.status()}"), name="ready")
        log.info("ready", station=config.station, links=list(station.pipeline.links), devices=len(setup.roster.devices))
        await stop.wait()
        ready.cancel()
        notify("STOPPING=1")
        await station.stop()
        log.info("stopped", **station.report.counters())


class Station:
    """The running gateway: `start` joins the inside half and the outside half, `stop` ends them without loss."""

    def __init__(self, setup: Setup, folder: Folder) -> None:
        self._config, self._roster, self._profiles = setup.config, setup.roster, setup.profiles
        self._folder = folder
        self._clock = Clock()
        self._faults = Faults(self._clock.moment)
        mqtt, release = setup.config.mqtt, version("station-gateway")
        self._wire = Wire(mqtt.root, setup.config.station, release, self._clock, setup.codes, setup.config.services)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._session: AlertUplink

    async def start(self) -> None:
        """Open the lanes, take up what was kept, set everything going; waits for neither broker nor radio."""
        config, clock, faults, wire = self._config, self._clock, self._faults, self._wire
        alert_plan, telemetry_plan = plans(config.telemetry)
        disk = Disk(config.data)
        self._sensors = Sensors(config, disk, faults)
        await asyncio.to_thread(disk.look)
        opened, group = await asyncio.gather(
            asyncio.to_thread(open_store, config.data, alert_plan, clock, disk.give_up_ballast),
            asyncio.to_thread(open_store, config.data, telemetry_plan, clock),
        )
        memory, alerts, outdated = self._taken_up(opened)
        numbers = Counters(self._roster.key_of)
        numbers.load(opened.records(counters.SPACE), group.records(counters.SPACE))
        self._journal = Journal(config.data, faults)
        self._recorder = Recorder(config.data / "recordings", clock.now, faults)
        self._chronicle = Chronicle(self._journal.tell, self._recorder.alert, clock.moment)
        self._alert = await start_lane(opened, alert_plan, wire, clock, faults, self._chronicle, disk)
        self._telemetry_lane = await start_lane(group, telemetry_plan, wire, clock, faults, None, disk)
        self._influx = await self._open_influx(disk)
        self._lanes = {"alert": self._alert, "telemetry": self._telemetry_lane}
        if self._influx is not None:
            self._lanes["influx"] = self._influx.lane
        if outdated:
            await self._alert.commit([], outdated)
        self._join_inside(memory, numbers, alerts)
        self._watch_storage(disk)
        self._watch_wearables(self._join_outside(), alerts)

    async def _open_influx(self, disk: Disk) -> "InfluxLane | None":
        config = self._config
        if config.influx is None:
            return None
        from gateway.influx import open_influx  # noqa: PLC0415 - its client is an optional part

        async def elsewhere(gap: Gap) -> None:
            await self._alert.commit([self._wire.gap(gap)])

        return await open_influx(config, config.influx, self._clock, self._faults, disk, elsewhere)

    def _taken_up(self, opened: Opened) -> tuple[Episodes, Book, list[Change]]:
        """What survived the last run: devices' episodes and people's alerts."""
        alerts = Book.of(self._config.alerts)
        alerts.load(opened.records(book.SPACE))
        memory = Episodes()
        records = opened.records(episodes.SPACE)
        known = {address for address in records if self._roster.find(address) is not None}
        return memory, alerts, memory.load(records, known, self._clock.moment())

    def _join_inside(self, memory: Episodes, numbers: Counters, alerts: Book) -> None:
        """Drivers, decoding, normalising, desk and telemetry: bytes to commits."""
        config, clock = self._config, self._clock
        links = build_links(config, self._profiles, self._roster, clock, self._faults)
        fleet = config.fleet_key.read().encode() if config.fleet_key else None
        secrets = Secrets(fleet, self._folder.box_key(clock.random(32)))
        normalise = Normaliser(self._roster, memory, numbers, secrets, clock, config.lenient)
        drivers = {name: link.driver for name, link in links.items()}
        chronicle = self._chronicle
        writes = Writes(drivers, self._profiles, normalise.route, chronicle)
        self._desk = Desk(alerts, self._alert, self._wire, clock, chronicle, writes.help_is_coming)
        beside = self._influx.telemetry if self._influx is not None else None
        self._telemetry = Telemetry(self._telemetry_lane, self._wire, clock, Grouping.of(config.telemetry), beside)
        self._quarantine = Quarantine(config.data / "quarantine.jsonl")
        self._radios = {name: driver for name, driver in drivers.items() if isinstance(driver, Radio)}
        zones = {name: link.zone for name, link in links.items()}
        replies = Replies(drivers, lambda do: self._desk.put(Then(do)))
        evidence = Evidence(self._quarantine, self._recorder)
        self.pipeline = Pipeline(self._profiles, normalise, self._desk, self._telemetry, evidence, replies, zones)
        self._trials, lanes, roster = normalise.trials, self._lanes, self._roster
        supervision = Supervision(normalise.sightings, self._profiles.intervals, config.supervision, self._new_id)
        self._protection = Protection(roster, supervision, config.supervision.weak_signal)
        began, seen, tray = clock.moment(), lambda: self._sensors.seen, self._desk.tray
        inside = self._wire, self.pipeline.links, lanes, self._faults, began, self._radios
        self.report = report = Report(*inside, box=seen, tray=tray)
        commands = Commands(report, self._desk, self._journal, roster, self._protection, self._trials, clock)
        self._supervisor = Supervisor(self._faults, random.SystemRandom().random)
        self._keep("desk", lambda _: self._desk.run(), INNER)
        self._keep("telemetry", lambda _: self._telemetry.run(), INNER)
        if beside is not None:
            self._keep("influx", lambda _: beside.run(), INNER)
        self._keep("story", lambda _: self._journal.run(), INNER)
        self._keep("recorder", lambda _: self._recorder.run(), INNER)
        reachable = partial(reaches, self._alert, self._faults)
        sounder = Sounder(config.local_alert, alerts, chronicle, self._faults, clock.moment, reachable)
        if config.local_alert.actions:
            self._keep("local_alert", lambda _: sounder.run(), INNER)
        self._keep("control", Control(config.control, commands.answer).run, CONTROL)
        for name, link in links.items():
            self._keep(name, partial(self.pipeline.listen, link.driver), link.backoff)

    def _join_outside(self) -> Board:
        """Links to the broker, requests, the board and the rounds: commits to acknowledgements."""
        config, clock, mqtt = self._config, self._clock, self._config.mqtt
        report = self.report
        ping, info = partial(report.ping, clock), lambda: report.info(clock, self._session.session)
        session, now_ms = lambda: self._session.session, lambda: clock.now().mono_ms
        told: dict[str, Callable[[], Json]] = {"ping": ping, "info": info}
        requests = Requests(self._wire, self._desk, self._trials, session, told, now_ms, report.requests)
        road, board = Road(), Board()
        patience = Patience(mqtt.ack_timeout / 1000, mqtt.return_after / 1000)
        shore = partial(Shore, self._wire, road, clock=clock, faults=self._faults, patience=patience)
        alert_login = partial(login, mqtt, f"{config.station}-alert", keep_session=True)
        telemetry_login = partial(login, mqtt, f"{config.station}-telemetry", keep_session=False)
        brokers, centre = Brokers(endpoints(mqtt)), Centre(config.call_centre, self._faults)
        self._session = AlertUplink(self._alert, brokers, shore(login=alert_login), requests, report.standing, centre)
        expiry_s = config.telemetry.expiry // 1000
        following = TelemetryUplink(self._telemetry_lane, board, shore(login=telemetry_login), expiry_s)
        backoff = Backoff(UPLINK_BASE_S, mqtt.reconnect_max / 1000)
        self._keep("uplink:alert", self._session.run, backoff)
        self._keep("uplink:telemetry", following.run, backoff)
        if self._influx is not None:
            self._keep("uplink:influx", self._influx.uplink.run, self._influx.backoff)
        if config.metrics is not None:
            from gateway.metrics import Metrics  # noqa: PLC0415 - its library is an optional part

            self._keep("metrics", Metrics(config.metrics, report, clock).run, CONTROL)
        rounds = Rounds(report, board, self._session, clock, self._quarantine, self._faults, self._trials)
        self._keep("rounds", lambda _: rounds.run(config.health_every / 1000), INNER)
        stages = {"desk": lambda: self._desk.beat}
        stages |= {f"{name} lane": partial(_beat, lane) for name, lane in self._lanes.items()}
        self._keep("watchdog", lambda _: watch(stages, report.status), INNER)
        return board

    def _watch_storage(self, disk: Disk) -> None:
        clock = self._clock
        outages = Outages(0, self._new_id, AlertKind.STORAGE_DEGRADED)
        storage = Storage(disk, list(self._lanes.values()), self._faults, outages, self._desk.put)
        self._keep("storage", lambda _: storage.run(clock.moment), INNER)
        self._keep("sensors", lambda _: self._sensors.run(), INNER)

    def _watch_wearables(self, board: Board, alerts: Book) -> None:
        """Who is silent, whose battery is low, who is protected."""
        config, clock, faults, protection = self._config, self._clock, self._faults, self._protection
        file, rings, session = config.data / "watch", bool(config.local_alert.actions), lambda: self._session.session
        supervision = protection.supervision
        receivers = Receivers(config.alerts, self.pipeline.links, self._radios, supervision.ears, self._new_id)
        assurance = Assurance(protection, board, self._wire, faults, session, clock.moment, rings=rings)
        self._watch = Watch(self._roster.devices, supervision, receivers, assurance, faults, self._desk.put, file)
        self._watch.begin(checkpoint.load(file), alerts.open(), clock.moment())
        self._keep("watch", lambda _: self._watch.run(clock.moment), INNER)

    def _new_id(self) -> str:
        return unique_id(self._clock.now(), self._clock.random(10))

    async def stop(self) -> None:
        """Stop hearing, commit what was heard, say farewell, close the files."""
        hearing = [self._tasks[name] for name in self.pipeline.links]
        for task in hearing:
            task.cancel()
        # what a link tells while it ends must be in what is drained
        await _within(HUSH_S, asyncio.gather(*hearing, return_exceptions=True), "a link did not end in time")
        await _within(DRAIN_S, self._desk.drained(), "alerts were still waiting for the disk")
        await _within(DRAIN_S, self._telemetry.commit(), "telemetry was still waiting for the disk")
        if self._influx is not None:
            await _within(DRAIN_S, self._influx.telemetry.commit(), "points were still waiting for the disk")
        await _within(DELIVER_S, self._alert.emptied(), None)
        await self._session.farewell()
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        for lane in self._lanes.values():
            await _within(DRAIN_S, lane.close(), f"the {lane.name} lane's file was not closed")
        self._watch.gather()
        await asyncio.gather(self._journal.close(), self._recorder.close(), asyncio.to_thread(self._watch.save))
        try:
            self._quarantine.save()
        except OSError as error:
            log.warning("the quarantine was not saved", why=str(error))

    def _keep(self, name: str, run: Run, backoff: Backoff) -> None:
        self._tasks[name] = asyncio.create_task(self._supervisor.keep(Kept(name, run, backoff)), name=name)


async def _within(seconds: float, work: Awaitable[object], otherwise: str | None) -> None:
    try:
        async with asyncio.timeout(seconds):
            await work
    except (TimeoutError, StorageFailed) as error:
        if otherwise is not None:
            log.warning(otherwise, why=str(error) or "timeout")


def _beat(lane: Lane) -> float:
    return lane.outbox.beat
