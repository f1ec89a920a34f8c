"""The watch over wearables and receivers: a part of them is looked at in each turn, all of it is saved each minute."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import cycle
from pathlib import Path

from drivers.ble.radio import Radio
from drivers.ble.station import State
from gateway import checkpoint
from gateway.assurance import Assurance
from gateway.checkpoint import Checkpoint
from gateway.config import Alerts
from gateway.ears import Ears
from gateway.health import Faults, LinkCounters
from gateway.inputs import Ended, Pressed
from gateway.model import Alert, AlertKind, Moment
from gateway.outages import Outages
from gateway.roster import Device
from gateway.supervision import Supervision

TURN_S = 0.2
PARTS = 25
"""All wearables are looked at once in so many turns: thousands at once would hold up a press."""
SAVE_EVERY = 300


class Receivers:
    """How the links are and what hears over them; people are told of radios and receivers that are down for long."""

    def __init__(
        self,
        alerts: Alerts,
        links: Mapping[str, LinkCounters],
        radios: Mapping[str, Radio],
        ears: Ears,
        new_id: Callable[[], str],
    ) -> None:
        self.links, self.radios, self.ears = links, radios, ears
        self.outages = {name: Outages(alerts.radio_down_after, new_id) for name in radios}
        serial = [name for name in links if name.startswith("serial:")]
        self.outages |= {name: Outages(alerts.serial_down_after, new_id, AlertKind.SERIAL_DOWN) for name in serial}

    def up(self) -> dict[str, bool]:
        """Each link, and whether it may be expected to hear: a quiet radio has nothing to go by."""
        return {name: link.up and not self._quiet(name) for name, link in self.links.items()}

    def _quiet(self, link: str) -> bool:
        radio = self.radios.get(link)
        return radio is not None and radio.standing.state is State.QUIET


class Watch:
    """`tell` takes what becomes of an alert; `file` is where everything is saved."""

    def __init__(
        self,
        devices: Sequence[Device],
        supervision: Supervision,
        receivers: Receivers,
        assurance: Assurance,
        faults: Faults,
        tell: Callable[[Pressed | Ended], None],
        file: Path,
    ) -> None:
        self._supervision, self._receivers, self._faults = supervision, receivers, faults
        self._assurance = assurance
        self._tell, self._file = tell, file
        self._devices = devices
        self._parts = cycle(range(PARTS))
        self._kept = Checkpoint()

    def begin(self, kept: Checkpoint, alerts: Iterable[Alert], now: Moment) -> None:
        """Go on where the last run ended, with what people were told by then."""
        self._receivers.ears.mind(now.mono_ms, self._receivers.up())
        for device in self._devices:
            self._supervision.enter(device, now)
            if (known := kept.devices.get(device.id)) is not None:
                self._supervision.restore(device.id, known, now)
            self._kept.devices[device.id] = self._supervision.known(device.id, now)
        for ended in self._supervision.adopt(alerts):
            self._tell(ended)
        self._assurance.begin(kept.wearers)

    async def run(self, now: Callable[[], Moment]) -> None:
        """Go round until cancelled."""
        while True:
            for _ in range(SAVE_EVERY):
                self.turn(now())
                await asyncio.sleep(TURN_S)
            self.gather()
            await asyncio.to_thread(self.save)

    def turn(self, now: Moment) -> None:
        self._listen(now)
        part = next(self._parts)
        for device in self._devices[part::PARTS]:
            for told in (self._supervision.look(device.id, now), self._supervision.weigh(device.id, now)):
                if told is not None:
                    self._tell(told)
            self._kept.devices[device.id] = self._supervision.known(device.id, now)
        if part == PARTS - 1:
            self._supervision.count()
        self._assurance.turn(part, PARTS, now)

    def gather(self) -> None:
        """Take up what is to be saved and is not kept up to date anyway."""
        self._kept.wearers = self._assurance.kept()

    def save(self) -> None:
        try:
            checkpoint.save(self._file, self._kept)
        except OSError as error:
            cure = "free space on the data folder, or see whether its disk is sound"
            self._faults.begin("checkpoint_unsaved", "checkpoint", f"{self._file}: {error.strerror}", cure)
        else:
            self._faults.end("checkpoint")

    def _listen(self, now: Moment) -> None:
        """See which receivers hear, and tell of those that have not for long."""
        receivers = self._receivers
        receivers.ears.mind(now.mono_ms, receivers.up())
        for link, ear in receivers.ears.of.items():
            if ear.mute:
                what = f"it is open, and nothing is heard for {ear.pause.lasts(now.mono_ms) // 1000} s"
                cure = "see to the receiver and its aerial; unplug it and plug it in again"
                self._faults.begin("receiver_silent", link, what, cure)
            else:
                self._faults.end(link, "receiver_silent")
            outages = receivers.outages.get(link)
            told = outages.see(link, now, up=receivers.links[link].up and not ear.mute) if outages is not None else None
            if told is not None:
                self._tell(told)
