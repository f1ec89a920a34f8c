"""Samples gather into groups, a group becomes batches, and each batch is one message in the telemetry lane."""

import asyncio
from collections.abc import Sequence
from typing import Protocol, Self

import msgspec

from gateway import config
from gateway.clock import Clock
from gateway.forward import Lane
from gateway.model import Draft, Gap, GapCause, Moment, Put, Sample
from gateway.rows import Row
from gateway.thinning import Said

HELD = 20_000
"""Samples held in memory while a commit does not return; beyond that the oldest are given up, with a gap."""


class Grouping(msgspec.Struct, frozen=True):
    """A group is committed after `every_s` or at `readings` samples; a message carries up to `batch` of them."""

    every_s: float = 1.0
    readings: int = 500
    batch: int = 100

    @classmethod
    def of(cls, station: config.Telemetry) -> Self:
        return cls(station.commit_every / 1000, station.commit_readings, station.batch)


class Form(Protocol):
    """How samples and gaps are written as a lane's messages: in the contract's words, or another sink's."""

    def telemetry(self, samples: Sequence[Sample], now: Moment, /) -> Draft: ...
    def gap(self, gap: Gap, /) -> Draft: ...

    def said(self, payload: bytes, /) -> list[Said] | None:
        """What a row of telemetry says; None where it is none that this version can read."""

    def thinned(self, row: Row, kept: Sequence[Said], now: Moment, /) -> Draft:
        """A row like that one with what is kept of its readings and of those of others."""


class Telemetry:
    """`add` never waits. A crash loses at most the open group; the next start says so with a gap.

    What is heard goes to `beside` as well, the telemetry of a further sink with a lane of its own.
    """

    def __init__(
        self, lane: Lane, form: Form, clock: Clock, grouping: Grouping, beside: "Telemetry | None" = None
    ) -> None:
        self._lane = lane
        self._form = form
        self._clock = clock
        self._grouping = grouping
        self._beside = beside
        self._open: list[Sample] = []
        self._kept: dict[tuple[str, str], Put] = {}
        self._shed = 0
        self._full = asyncio.Event()

    def add(self, sample: Sample) -> None:
        if self._beside is not None:
            self._beside.add(sample)
        self._open.append(sample)
        if len(self._open) >= self._grouping.readings:
            self._full.set()
        if len(self._open) > HELD:
            self._shed += len(self._open) - HELD
            del self._open[: len(self._open) - HELD]

    def keep(self, change: Put) -> None:
        """Keep this with the group that is open: both are on the disk, or neither."""
        self._kept[change.space, change.key] = change

    async def run(self) -> None:
        """Commit groups until cancelled."""
        while True:
            try:
                async with asyncio.timeout(self._grouping.every_s):
                    await self._full.wait()
            except TimeoutError:
                pass
            await self.commit()

    async def commit(self) -> None:
        """Commit what is open."""
        self._full.clear()
        samples, kept, shed = self._open, self._kept, self._shed
        if not (samples or kept):
            return
        self._open, self._kept, self._shed = [], {}, 0
        await self._lane.commit(self._drafts(samples, shed), list(kept.values()))

    def _drafts(self, samples: list[Sample], shed: int) -> list[Draft]:
        now, size = self._clock.moment(), self._grouping.batch
        drafts = [self._form.telemetry(samples[i : i + size], now) for i in range(0, len(samples), size)]
        if shed:
            gap = Gap(self._lane.name, self._lane.outbox.epoch, GapCause.SHED, now, count=shed)
            drafts.insert(0, self._form.gap(gap))
        return drafts
