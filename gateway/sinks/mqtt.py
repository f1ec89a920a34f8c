"""One MQTT connection, from CONNECT to its end: paho-mqtt driven by the event loop, never reconnecting.

paho keeps nothing for us: every connection is a fresh client, and each PUBACK with its reason is handed to
whoever published. Its callbacks only note what happened; the work is done once paho has returned.
"""

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from gateway.errors import UplinkDown
from gateway.model import Message
from gateway.sinks.blocking import on_thread
from gateway.sinks.failures import explain_refusal, explain_trouble
from gateway.sinks.paced import PACKET_MAX, PacedClient
from gateway.sinks.words import Endpoint, Inbound, Login

CONNECT_S = 8.0
MISC_S = 1.0
RECEIVE_MAXIMUM = 65535
INBOUND_AT_ONCE = 16
"""Messages to us that may be under way: the answers to what we send stand in line with them."""

Stated = Properties | None
Done = Callable[[int, str], None]
"""How a publish ended: the PUBACK's reason code (0 on MQTT 3.1.1) and its name."""


class Connection:
    def __init__(self, endpoint: Endpoint, login: Login, will: Message | None) -> None:
        self.endpoint = endpoint
        self.on_inbound: Callable[[Inbound], None] = lambda _: None
        self._login = login
        self._loop = asyncio.get_running_loop()
        self._opened: asyncio.Future[None] = self._loop.create_future()
        self._lost: asyncio.Future[str] = self._loop.create_future()
        self._subscribed: dict[int, asyncio.Future[list[ReasonCode]]] = {}
        self._waiting: deque[tuple[Message, bool, Properties | None, Done | None]] = deque()
        self._flying: dict[int, tuple[float, Done | None]] = {}
        self._answers: list[tuple[int, ReasonCode]] = []
        self._inbox: list[Inbound] = []
        self._limit = RECEIVE_MAXIMUM
        self._socket: Any = None
        self._writing = False
        self._misc: asyncio.TimerHandle | None = None
        self._again: asyncio.Handle | None = None
        self._client = self._make(will)

    @property
    def five(self) -> bool:
        return self._login.version is MQTTProtocolVersion.MQTTv5

    async def open(self) -> None:
        """Return when the broker has let us in; raise UplinkDown with the reason where it does not."""
        try:
            if self.endpoint.tls and self._login.tls is not None:
                self._client.tls_set_context(self._login.tls())
            async with asyncio.timeout(CONNECT_S):
                await on_thread(self._connect, self._drop)
                self._watch()
                await self._opened
        except (OSError, ValueError) as error:  # TimeoutError and ssl.SSLError are OSErrors
            self._drop()
            raise explain_trouble(self.endpoint, error) from error
        except BaseException:
            self._drop()
            raise

    async def subscribe(self, topics: Sequence[tuple[str, SubscribeOptions]]) -> list[ReasonCode]:
        """Return the broker's word on each topic, in order."""
        wanted: Any = list(topics) if self.five else [(topic, options.QoS) for topic, options in topics]
        code, mid = self._client.subscribe(wanted)
        if code is not MQTTErrorCode.MQTT_ERR_SUCCESS or mid is None:
            raise self._gone()
        granted: asyncio.Future[list[ReasonCode]] = self._loop.create_future()
        self._subscribed[mid] = granted
        self._after()

        def lost(_: object) -> None:
            if not granted.done():
                granted.set_exception(self._gone())

        self._lost.add_done_callback(lost)
        return await granted

    def unsubscribe(self, topic: str) -> None:
        """From now on; what is under way still comes."""
        self._client.unsubscribe(topic)
        self._after()

    def _gone(self) -> UplinkDown:
        return UplinkDown("broker_unreachable", f"{self.endpoint}: lost while subscribing", "wait; it is retried")

    def publish(
        self,
        message: Message,
        *,
        retain: bool = False,
        properties: Properties | None = None,
        done: Done | None = None,
    ) -> None:
        """QoS 1, at once or as soon as the broker's receive maximum allows. `done` is never called when lost."""
        self._waiting.append((message, retain, properties if self.five else None, done))
        self._pump()

    def acknowledge(self, inbound: Inbound) -> None:
        """Tell the broker that it may forget a message: only now is it dealt with."""
        self._client.ack(inbound.mid, inbound.qos)
        self._after()

    async def lost(self) -> str:
        """Return when the connection has ended, with the reason."""
        return await asyncio.shield(self._lost)

    async def stalled(self, after_s: float) -> None:
        """Return once something that was published has waited so long for its PUBACK; pings do not count."""
        while True:
            left = after_s - self._waited()
            if left <= 0:
                return
            await asyncio.sleep(min(left, after_s / 10))

    def close(self) -> None:
        """Say DISCONNECT, so that the broker drops the will, and end."""
        self._client.disconnect()
        self._drop()

    @property
    def shown(self) -> bytes | None:
        """The broker's certificate, in DER; None without TLS."""
        return self._socket.getpeercert(binary_form=True) if isinstance(self._socket, ssl.SSLSocket) else None

    def break_off(self) -> None:
        """End without a word, so that the broker publishes the will."""
        self._drop()

    def _waited(self) -> float:
        """Seconds that the oldest publish has waited."""
        since, _ = next(iter(self._flying.values()), (self._loop.time(), None))
        return self._loop.time() - since

    def _make(self, will: Message | None) -> Client:
        login = self._login
        client = PacedClient(
            CallbackAPIVersion.VERSION2,
            login.client_id,
            clean_session=None if self.five else not login.keep_session_s,
            protocol=login.version,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        client.connect_timeout = CONNECT_S
        client.max_inflight_messages_set(0)  # our own window rules; with 0 paho does not walk its list per PUBACK
        if login.username is not None:
            client.username_pw_set(login.username, login.password)
        if will is not None:
            client.will_set(will.topic, will.payload, qos=1, retain=True)
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_publish = lambda _c, _u, mid, reason, _p: self._answers.append((mid, reason))
        client.on_subscribe = self._granted
        client.on_inbound = self._inbox.append
        client.on_socket_close = self._unwatch
        return client

    def _connect(self) -> None:
        endpoint, login = self.endpoint, self._login
        if not self.five:
            self._client.connect(endpoint.host, endpoint.port, login.keepalive_s)
            return
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = login.keep_session_s
        properties.MaximumPacketSize = PACKET_MAX
        properties.ReceiveMaximum = INBOUND_AT_ONCE
        self._client.connect(
            endpoint.host,
            endpoint.port,
            login.keepalive_s,
            clean_start=not login.keep_session_s,
            properties=properties,
        )

    def _watch(self) -> None:
        self._socket = self._client.socket()
        if self._socket is None:
            if self._opened.done():
                return  # already answered, with the reason
            raise _closed()
        raw = self._socket
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # an alert must not wait for another's ACK
        self._loop.add_reader(raw, self._readable)
        self._misc = self._loop.call_later(MISC_S, self._tick)
        self._after()

    def _unwatch(self, _client: Client, _userdata: object, _closing: object) -> None:
        if self._socket is not None:
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
            self._socket = None
        if self._misc is not None:
            self._misc.cancel()

    def _drop(self) -> None:
        """Close the socket, whatever state it is in, and stop every callback."""
        self._client.on_disconnect = None
        closing = self._client.socket()
        self._unwatch(self._client, None, None)
        if closing is not None:
            closing.close()
        if not self._lost.done():
            self._lost.set_result("closed here")

    def _readable(self) -> None:
        """Read a little; whatever else is to be done gets its turn before the next."""
        if self._again is not None:
            self._again.cancel()
            self._again = None
        self._client.loop_read()
        self._after()
        if isinstance(self._socket, ssl.SSLSocket) and self._socket.pending():
            self._again = self._loop.call_soon(self._readable)  # what TLS has deciphered makes no socket readable

    def _writable(self) -> None:
        self._client.loop_write()
        self._after()

    def _tick(self) -> None:
        self._misc = self._loop.call_later(MISC_S, self._tick)
        self._client.loop_misc()
        self._after()

    def _after(self) -> None:
        """Do what paho's callbacks have noted, send what waits, and mind the socket."""
        answers, self._answers = self._answers, []
        for mid, reason in answers:
            _, done = self._flying.pop(mid, (0.0, None))
            if done is not None:
                done(reason.value, reason.getName())
        inbox = self._inbox.copy()
        self._inbox.clear()
        for inbound in inbox:
            self.on_inbound(inbound)
        if answers:
            self._pump()
        if self._socket is not None and self._client.want_write():
            self._client.loop_write()
        self._mind_writing()

    def _mind_writing(self) -> None:
        wanted = self._socket is not None and self._client.want_write()
        if wanted and not self._writing:
            self._loop.add_writer(self._socket, self._writable)
        elif self._writing and not wanted and self._socket is not None:
            self._loop.remove_writer(self._socket)
        self._writing = wanted

    def _pump(self) -> None:
        while self._waiting and len(self._flying) < self._limit and self._socket is not None:
            message, retain, properties, done = self._waiting.popleft()
            sent = self._client.publish(message.topic, message.payload, 1, retain, properties)
            self._flying[sent.mid] = self._loop.time(), done
        if not self._writing:
            self._mind_writing()

    def _connected(
        self, _client: Client, _userdata: object, _flags: ConnectFlags, reason: ReasonCode, properties: Stated
    ) -> None:
        if self._opened.done():
            return
        if reason.is_failure:
            self._opened.set_exception(explain_refusal(self.endpoint, reason))
            return
        self._limit = getattr(properties, "ReceiveMaximum", RECEIVE_MAXIMUM)
        self._opened.set_result(None)

    def _disconnected(
        self, _client: Client, _userdata: object, _flags: DisconnectFlags, reason: ReasonCode, _properties: Stated
    ) -> None:
        if not self._opened.done():
            self._opened.set_exception(_closed())
        if not self._lost.done():
            self._lost.set_result(reason.getName())

    def _granted(
        self, _client: Client, _userdata: object, mid: int, reasons: list[ReasonCode], _properties: Properties
    ) -> None:
        granted = self._subscribed.pop(mid, None)
        if granted is not None and not granted.done():
            granted.set_result(reasons)


def _closed() -> ConnectionResetError:
    return ConnectionResetError("it closed the connection instead of answering CONNECT")
