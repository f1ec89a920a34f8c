"""What independent programs read from frames: JSON lines in, JSON lines out. Runs in their environment, not in ours."""

import json
import logging
import sys
from typing import Any

from bthome_ble import BTHomeBluetoothDeviceData
from habluetooth import BluetoothServiceInfoBleak
from ruuvitag_sensor.decoder import get_decoder
from xiaomi_ble import XiaomiBluetoothDeviceData

SERVICE = "0000{}-0000-1000-8000-00805f9b34fb"
FACTORS = {"mbar": 100, "lb": 0.45359237}
"""To pascals and kilograms."""
FLAGS = {"battery": "low battery", "battery_charging": "charging", "wearing": "worn"}
GRAVITY = 9.80665


def home_assistant(parser: Any, uuid: str, frame: dict[str, Any]) -> dict[str, Any]:
    """What one of Home Assistant's parsers makes of service data; nothing where it falls over it."""
    heard = BluetoothServiceInfoBleak(
        name="device",
        address=":".join(frame["sender"][at : at + 2] for at in range(0, 12, 2)).upper(),
        rssi=-60,
        manufacturer_data={},
        service_data={SERVICE.format(uuid): bytes.fromhex(frame["payload"])},
        service_uuids=[],
        source="",
        device=None,
        advertisement=None,
        connectable=False,
        time=0.0,
        tx_power=None,
    )
    try:
        update = parser(bindkey=bytes.fromhex(frame["key"]) if frame["key"] else None).update(heard)
    except (IndexError, ValueError):
        return {"values": {}, "presses": []}
    values = {FLAGS.get(key.key, key.key): each.native_value for key, each in update.binary_entity_values.items()}
    for key, each in update.entity_values.items():
        factor = FACTORS.get(str(update.entity_descriptions[key].native_unit_of_measurement))
        values[key.key] = each.native_value * factor if factor else each.native_value
    if "charging_state" in values:
        values["charging"] = values["charging_state"] == "Charging"
    presses = [event.event_type for key, event in update.events.items() if key.key.startswith("button")]
    return {"values": numbers(values), "presses": sorted(presses)}


def numbers(values: dict[str, Any]) -> dict[str, float]:
    """What is a number; of several of a kind the first."""
    return {name.removesuffix("_1"): value for name, value in values.items() if isinstance(value, int | float)}


def ruuvi(frame: dict[str, Any]) -> dict[str, Any]:
    read = numbers(get_decoder(5).decode_data(frame["payload"]) or {})
    factors = {"pressure": 100, "battery": 0.001} | {f"acceleration_{axis}": GRAVITY / 1000 for axis in "xyz"}
    values = {name: value * factors.get(name, 1) for name, value in read.items()}
    if "battery" in values:
        values["voltage"] = values.pop("battery")
    return {"values": values, "presses": []}


def answer(frame: dict[str, Any]) -> dict[str, Any]:
    match frame["profile"]:
        case "bthome":
            return home_assistant(BTHomeBluetoothDeviceData, "fcd2", frame)
        case "mibeacon":
            told = home_assistant(XiaomiBluetoothDeviceData, "fe95", frame)
            told["values"].pop("voltage", None)  # computed from the battery's level
            return told
        case _:
            return ruuvi(frame)


if __name__ == "__main__":
    logging.disable()
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))))
