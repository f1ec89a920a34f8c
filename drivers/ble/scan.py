"""One scan through bleak: begun, held for as long as it lasts, and ended."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Literal

from bleak import BleakScanner
from bleak.args.bluez import BlueZDiscoveryFilters, BlueZScannerArgs, OrPattern, OrPatternLike
from bleak.assigned_numbers import AdvertisementDataType
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData
from bleak.exc import BleakDBusError, BleakError
from dbus_fast import DBusError

from drivers.base import ScanMode
from drivers.ble import faults
from drivers.ble.ladder import Cause

START_S, STOP_S = 10.0, 2.0

Advertised = Callable[[BLEDevice, AdvertisementData], None]
Patterns = Sequence[tuple[int, bytes]]
"""What a section must begin with for a passive scan to tell of it: its type, and its first bytes."""


class PassiveUnsupported(faults.RadioDown):
    """This bluetoothd offers no passive scan."""

    def __init__(self, adapter: str) -> None:
        super().__init__(
            "passive_unsupported",
            f"{adapter}: bluetoothd offers no passive scan",
            "write scan: auto or active, or start bluetoothd with --experimental",
            Cause.ELSEWHERE,
        )


@asynccontextmanager
async def scanning(adapter: str, mode: ScanMode, patterns: Patterns, advertised: Advertised) -> AsyncIterator[None]:
    """Scan while the context is held. RadioDown where that cannot begin."""
    way: Literal["active", "passive"] = "passive" if mode is ScanMode.PASSIVE else "active"
    scanner = BleakScanner(advertised, scanning_mode=way, bluez=_arguments(adapter, mode, patterns))
    try:
        await _start(scanner, adapter)
        yield
    finally:
        await _stop(scanner)


def _arguments(adapter: str, mode: ScanMode, patterns: Patterns) -> BlueZScannerArgs:
    if mode is ScanMode.PASSIVE:
        wanted: list[OrPatternLike] = [OrPattern(0, AdvertisementDataType(kind), begin) for kind, begin in patterns]
        return BlueZScannerArgs(adapter=adapter, or_patterns=wanted)
    # an unchanged advert still says that the wearable is there
    return BlueZScannerArgs(adapter=adapter, filters=BlueZDiscoveryFilters(DuplicateData=True))


async def _start(scanner: BleakScanner, adapter: str) -> None:
    try:
        async with asyncio.timeout(START_S):
            await scanner.start()
    except TimeoutError as error:
        raise faults.unanswered(adapter) from error
    except BleakDBusError as error:
        raise faults.refused(adapter, error.dbus_error, error.dbus_error_details or "") from error
    except BleakError as error:
        if "passive" in str(error):
            raise PassiveUnsupported(adapter) from error
        raise faults.removed(adapter) if "not found" in str(error) else faults.failed(adapter, str(error)) from error
    except (DBusError, OSError, EOFError) as error:
        raise faults.no_bus(adapter, str(error) or type(error).__name__) from error


async def _stop(scanner: BleakScanner) -> None:
    try:
        async with asyncio.timeout(STOP_S):
            await scanner.stop()
    except (BleakError, DBusError, OSError, EOFError, TimeoutError):
        return  # what ended the scan has been said; a BlueZ that is gone has stopped scanning
