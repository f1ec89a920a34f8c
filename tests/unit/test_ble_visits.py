"""Connections of an adapter: who is called, what is heard, written and polled, and that every slot comes back."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import msgspec
import pytest
from bleak.backends.device import BLEDevice

from drivers.base import Instant, LinkDown, Packet, PacketKind, Write
from drivers.ble import visits as visits_module
from drivers.ble.adverts import canonical
from drivers.ble.call import CallFailed
from drivers.ble.slots import LEASE_MS, RETRY_MS, Slots
from drivers.ble.visits import GONE_MS, Visits
from drivers.profile.connect import Connect
from tests.support.radio import Street, Wearable

BAND, OTHER = "C0:98:00:01:02:03", "C0:98:00:01:02:04"
RATE, BATTERY, BUZZ = "rate", "battery", "buzz"
LISTEN = Connect("heart-rate", (RATE,), (BATTERY,), None, alerts=False)
POLL = Connect("heart-rate", (), (BATTERY,), 600_000, alerts=False)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock that decides goes by hand; these only make the loop come round."""
    monkeypatch.setattr(visits_module, "TICK_S", 0.002)


class Adapter:
    """Visits of one adapter, and what it may be told of: `paused` is a scan that stands still."""

    def __init__(self, street: Street, budget: int = 5, claims: dict[str, Visits] | None = None) -> None:
        self.street, self.paused = street, False
        self.held: list[str] = []
        claims = street.given.claims if claims is None else claims
        self.visits = Visits("ble:hci0", Slots(budget), street.dial, street.given.clock, claims, lambda _: self.paused)

    def hears(self, plan: Connect | None, *addresses: str) -> None:
        for address in addresses or (BAND,):
            self.visits.reach(canonical(address), BLEDevice(address, None, {}), plan)

    async def verify(self, path: str) -> bool:
        address, _, characteristic = path.partition("/")
        wearable = self.street.wearables[address]
        return wearable.keeps and characteristic in wearable.told

    @property
    def free(self) -> bool:
        """No slot is taken, and nobody is claimed."""
        return self.visits.slots.used == 0 and not self.street.given.claims


@asynccontextmanager
async def called(adapter: Adapter) -> AsyncIterator["asyncio.Task[None]"]:
    task = asyncio.create_task(adapter.visits.run(adapter.street, adapter.verify))
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, Exception):  # a test that cares has awaited it
            await task


def calling(work: Callable[[Adapter, Wearable], Awaitable[None]]) -> None:
    """Do it while the adapter calls; one band is in reach."""

    async def run() -> None:
        street = Street()
        adapter = Adapter(street)
        async with called(adapter):
            await work(adapter, band(street))

    asyncio.run(run())


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.001)


def go(work: Callable[[], Awaitable[None]]) -> None:
    async def run() -> None:
        await work()

    asyncio.run(run())


def band(street: Street, address: str = BAND) -> Wearable:
    return street.wearable(address, {RATE: b"\x48", BATTERY: b"\x58", BUZZ: b""})


def buzz(address: str = BAND, key: str | None = BUZZ) -> Write:
    return Write("ble:hci0", canonical(address), b"\x02", key)


async def refusal(write: Awaitable[None]) -> LinkDown:
    with pytest.raises(LinkDown) as told:
        async with asyncio.timeout(5):
            await write
    assert told.value.cure
    return told.value


def said(street: Street) -> list[tuple[int | str, bytes]]:
    return [(packet.key, packet.payload) for packet in street.packets]


def test_a_wearable_that_is_heard_is_connected_read_and_listened_to() -> None:
    async def run() -> None:
        street = Street()
        adapter, wearable = Adapter(street), band(street)
        async with called(adapter):
            adapter.hears(LISTEN)
            await until(lambda: len(street.packets) == 1)
            wearable.told[RATE](b"\x49")
            heard = Instant(1_000_000, 0)
            assert street.packets == [
                Packet("ble:hci0", PacketKind.CHARACTERISTIC, key, value, heard, "c09800010203", profile="heart-rate")
                for key, value in ((BATTERY, b"\x58"), (RATE, b"\x49"))
            ]
            assert adapter.visits.slots.used == 1
        assert (wearable.connected, adapter.free) == (0, True)

    go(run)


def test_what_is_polled_is_read_again_and_disconnected_meanwhile() -> None:
    async def run(adapter: Adapter, wearable: Wearable) -> None:
        for round_ in range(1, 4):
            adapter.hears(POLL)
            await until(lambda round_=round_: len(adapter.street.packets) == round_ and adapter.free)  # type: ignore[misc]
            assert wearable.connected == 0
            adapter.street.ms += 599_999
            adapter.hears(POLL)
            await asyncio.sleep(0.01)
            assert len(adapter.street.packets) == round_
            adapter.street.ms += 1

    calling(run)


def test_what_is_read_once_is_not_called_again() -> None:
    async def run(adapter: Adapter, _: Wearable) -> None:
        adapter.hears(Connect("x", (), (BATTERY,), None, alerts=False))
        await until(lambda: len(adapter.street.packets) == 1 and adapter.free)
        adapter.street.ms += 10**9
        adapter.hears(Connect("x", (), (BATTERY,), None, alerts=False))
        await asyncio.sleep(0.01)
        assert (len(adapter.street.packets), adapter.visits.slots.waiting(adapter.street.ms)) == (1, 0)

    calling(run)


def test_a_standing_connection_reads_again_each_time_it_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visits_module, "_within", _at_once)

    async def run(adapter: Adapter, wearable: Wearable) -> None:
        adapter.hears(Connect("x", (RATE,), (BATTERY,), 60_000, alerts=False))
        for count in range(1, 4):
            await until(lambda count=count: len(adapter.street.packets) == count)  # type: ignore[misc]
            adapter.street.ms += 60_000
        assert wearable.connected == 1

    calling(run)


async def _at_once(_: float, wait: Awaitable[object]) -> None:
    """Time that is waited for has passed: the clock by hand says how much."""
    waiting = asyncio.ensure_future(wait)
    await asyncio.wait({waiting}, timeout=0.001)
    waiting.cancel()


def test_a_connection_that_is_lost_is_made_anew_with_new_subscriptions() -> None:
    async def run(adapter: Adapter, wearable: Wearable) -> None:
        adapter.hears(LISTEN)
        await until(lambda: RATE in wearable.told)
        wearable.lost()
        await until(lambda: adapter.free)
        assert wearable.told == {}
        adapter.street.ms += RETRY_MS
        adapter.hears(LISTEN)
        await until(lambda: RATE in wearable.told)
        wearable.told[RATE](b"\x50")
        assert said(adapter.street)[-1] == (RATE, b"\x50")

    calling(run)


def test_a_subscription_that_bluez_does_not_keep_is_no_connection() -> None:
    async def run(adapter: Adapter, wearable: Wearable) -> None:
        wearable.keeps = False
        adapter.hears(LISTEN)
        await until(lambda: RATE in wearable.told)
        await until(lambda: adapter.free)
        assert (said(adapter.street), wearable.connected) == ([], 0)

    calling(run)


def test_a_wearable_that_lacks_what_its_profile_says_is_read_for_the_rest() -> None:
    async def run() -> None:
        street = Street()
        adapter, wearable = Adapter(street), street.wearable(BAND, {RATE: b"\x48"})
        async with called(adapter):
            adapter.hears(Connect("x", ("absent", RATE), (BATTERY,), None, alerts=False))
            await until(lambda: RATE in wearable.told)
            wearable.told[RATE](b"\x49")
            assert said(street) == [(RATE, b"\x49")]

    go(run)


def test_a_wearable_that_wants_it_is_bonded_first() -> None:
    async def run(adapter: Adapter, wearable: Wearable) -> None:
        wearable.breaks = CallFailed("pairing: refused")
        bonded = Connect("x", (RATE,), (), None, alerts=False, pair=True)
        adapter.hears(bonded)
        await until(lambda: adapter.visits.slots.used == 1)
        await until(lambda: adapter.free)
        assert RATE not in wearable.told
        wearable.breaks = None
        adapter.street.ms += RETRY_MS
        adapter.hears(bonded)
        await until(lambda: RATE in wearable.told)
        assert wearable.paired

    calling(run)


def test_who_cannot_be_called_is_tried_again_later_and_keeps_no_slot() -> None:
    async def run() -> None:
        street = Street()
        adapter, wearable = Adapter(street, budget=1), band(street)
        wearable.fails = "out of reach"
        async with called(adapter):
            adapter.hears(LISTEN)
            band(street, OTHER)
            adapter.hears(POLL, OTHER)
            await until(lambda: len(street.packets) == 1 and adapter.free)
            wearable.fails = None
            street.ms += RETRY_MS
            adapter.hears(LISTEN)
            await until(lambda: wearable.connected == 1)

    go(run)


def test_a_write_connects_writes_and_asks_for_nothing_more() -> None:
    async def run(adapter: Adapter, wearable: Wearable) -> None:
        adapter.hears(None)
        await asyncio.wait_for(adapter.visits.write(buzz()), 5)
        assert wearable.written == [(BUZZ, b"\x02")]
        await until(lambda: adapter.free)
        assert (wearable.connected, adapter.visits.slots.waiting(adapter.street.ms)) == (0, 0)

    calling(run)


def test_a_write_to_a_connected_wearable_goes_out_at_once() -> None:
    async def run(adapter: Adapter, wearable: Wearable) -> None:
        adapter.hears(LISTEN)
        await until(lambda: RATE in wearable.told)
        await asyncio.wait_for(adapter.visits.write(buzz()), 5)
        assert (wearable.written, wearable.connected) == ([(BUZZ, b"\x02")], 1)

    calling(run)


def test_a_write_takes_the_slot_of_one_that_only_listens() -> None:
    async def run() -> None:
        street = Street()
        adapter, first, second = Adapter(street, budget=1), band(street), band(street, OTHER)
        async with called(adapter):
            adapter.hears(LISTEN)
            await until(lambda: RATE in first.told)
            adapter.hears(None, OTHER)
            await asyncio.wait_for(adapter.visits.write(buzz(OTHER)), 5)
            assert second.written == [(BUZZ, b"\x02")]

    go(run)


def test_a_write_does_not_wait_for_a_call_that_nobody_answers() -> None:
    async def run() -> None:
        street = Street()
        adapter, first, second = Adapter(street), band(street), band(street, OTHER)
        first.fails = "hangs"
        async with called(adapter):
            adapter.hears(LISTEN)
            await until(lambda: adapter.visits.slots.used == 1)
            adapter.hears(None, OTHER)
            await asyncio.wait_for(adapter.visits.write(buzz(OTHER)), 5)
            assert second.written == [(BUZZ, b"\x02")]

    go(run)


def test_a_wearable_that_is_gone_is_not_called_for_a_write_and_one_that_is_connected_need_not_be_heard() -> None:
    async def run() -> None:
        street = Street()
        adapter, wearable = Adapter(street), band(street)
        adapter.hears(LISTEN)
        async with called(adapter):
            await until(lambda: RATE in wearable.told)
            street.ms += 2 * GONE_MS
            await asyncio.wait_for(adapter.visits.write(buzz()), 5)
        assert "not heard by ble:hci0 for 60 s" in str(await refusal(adapter.visits.write(buzz())))

    go(run)


def test_what_became_of_a_write_is_told() -> None:
    async def run() -> None:
        street = Street()
        adapter, wearable = Adapter(street), band(street)
        async with called(adapter):
            assert "not heard" in str(await refusal(adapter.visits.write(buzz())))
            adapter.hears(None)
            assert "nothing to write to" in str(await refusal(adapter.visits.write(buzz(key=None))))
            told = await refusal(adapter.visits.write(buzz(key="absent")))
            assert (told.fault, str(told)) == ("ble_write", "c09800010203: it has no absent")
            wearable.breaks = CallFailed("buzz: broken off")
            assert "broken off" in str(await refusal(adapter.visits.write(buzz())))
            wearable.breaks, wearable.fails = None, "out of reach"
            assert "out of reach" in str(await refusal(adapter.visits.write(buzz())))
            await until(lambda: adapter.free)
            wearable.fails = "hangs"
            waiting = asyncio.create_task(adapter.visits.write(buzz()))
            await until(lambda: adapter.visits.slots.used == 1)
        assert "the radio stopped" in str(await refusal(waiting))
        assert adapter.free

    go(run)


def test_a_write_that_nobody_waits_for_any_more_is_never_sent() -> None:
    async def run() -> None:
        street = Street()
        adapter, wearable = Adapter(street), band(street)
        adapter.hears(LISTEN)
        for _ in range(3):  # the radio is away
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(adapter.visits.write(buzz()), 0.01)
        async with called(adapter):
            await until(lambda: RATE in wearable.told)
            await asyncio.wait_for(adapter.visits.write(buzz()), 5)
            assert wearable.written == [(BUZZ, b"\x02")]

    go(run)


@pytest.mark.parametrize("with_keys", [0, 5, 6])
def test_six_wearables_share_five_slots_and_a_slot_is_free_only_once_its_connection_is_over(with_keys: int) -> None:
    async def run() -> None:
        street = Street()
        adapter = Adapter(street)
        addresses = [f"C0:98:00:01:02:{number:02X}" for number in range(6)]
        wearables = [band(street, address) for address in addresses]
        seen, most = set[int](), 0
        async with called(adapter), asyncio.timeout(20):
            while len(seen) < 6:
                for number, address in enumerate(addresses):
                    adapter.hears(msgspec.structs.replace(LISTEN, alerts=number < with_keys), address)
                await asyncio.sleep(0.002)
                street.ms += LEASE_MS // 20
                connected = [number for number, wearable in enumerate(wearables) if wearable.connected]
                most = max(most, len(connected))
                seen |= {number for number in connected if RATE in wearables[number].told}
        assert most == 5
        assert adapter.free

    go(run)


def test_a_wearable_of_another_adapter_keeps_nobody_waiting_and_is_written_to_over_that_one() -> None:
    async def run() -> None:
        street = Street()
        here, there = Adapter(street, budget=1), Adapter(street, budget=1)
        first, second = band(street), band(street, OTHER)
        async with called(there), called(here):
            there.hears(LISTEN)
            await until(lambda: RATE in first.told)
            here.hears(LISTEN, BAND, OTHER)
            await until(lambda: RATE in second.told)
            await asyncio.wait_for(here.visits.write(buzz()), 5)
            assert (first.written, first.connected) == ([(BUZZ, b"\x02")], 1)
            assert (here.visits.slots.used, there.visits.slots.used) == (1, 1)

    go(run)


def test_a_call_during_which_scanning_stands_still_is_given_up_and_none_is_begun() -> None:
    async def run(adapter: Adapter, wearable: Wearable) -> None:
        wearable.fails = "hangs"
        adapter.hears(LISTEN)
        await until(lambda: adapter.visits.slots.used == 1)
        adapter.paused = True
        await until(lambda: adapter.free)
        wearable.fails = None
        adapter.street.ms += RETRY_MS
        adapter.hears(LISTEN)
        await asyncio.sleep(0.02)
        assert wearable.connected == 0
        adapter.paused = False
        await until(lambda: wearable.connected == 1)

    calling(run)


def test_a_defect_in_one_connection_is_told_and_leaves_nothing_behind() -> None:
    async def run() -> None:
        street = Street()
        adapter, wearable = Adapter(street), band(street)
        wearable.breaks = ZeroDivisionError("a defect")
        async with called(adapter) as task:
            adapter.hears(POLL)
            with pytest.raises(ZeroDivisionError):
                await asyncio.wait_for(task, 5)
        assert (adapter.free, wearable.connected) == (True, 0)

    go(run)


def test_a_connection_that_cannot_be_ended_still_gives_its_slot_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visits_module, "LEAVE_S", 0.05)

    async def run(adapter: Adapter, wearable: Wearable) -> None:
        wearable.clings = True
        adapter.hears(POLL)
        await until(lambda: len(adapter.street.packets) == 1 and adapter.free)

    calling(run)


def test_a_wearable_that_turns_out_to_want_more_is_called_for_it() -> None:
    async def run(adapter: Adapter, wearable: Wearable) -> None:
        adapter.hears(None)
        await asyncio.wait_for(adapter.visits.write(buzz()), 5)
        adapter.hears(LISTEN)
        await until(lambda: RATE in wearable.told)
        adapter.hears(None)  # an advert that does not list everything
        adapter.street.ms += RETRY_MS
        assert wearable.connected == 1

    calling(run)
