"""`python -m tests.fuzz TARGET [libFuzzer's options…]`: bytes that reach as much code as possible.

`profiles`: any payload in any way in which packets of a shipped profile come. `framings`: any bytes, in any portions,
on a line of any shipped framing. Nothing but BadFrame may escape, no frame may take long, and what is told of a
stream may not depend on its portions. A failure leaves its bytes in a file that is given as the next argument to try
them again.
"""

import sys

import atheris

with atheris.instrument_imports(include=["drivers"]):
    from tests.support.formats import decoded, keyed, shipped, ways_in

from msgspec.structs import replace

from drivers.base import BadFrame, Decoded, Measurement

WAYS = [packet for name in shipped().names for packet in ways_in(shipped()[name])]
FRAMINGS = [profile.framing for profile in map(shipped().__getitem__, shipped().names) if profile.framing is not None]
LONGEST = 4096


def profiles(octets: bytes) -> None:
    given = atheris.FuzzedDataProvider(octets)
    known = (shipped(), keyed())[given.ConsumeBool()]
    packet = given.PickValueInList(WAYS)
    outcome = decoded(known, replace(packet, payload=packet.payload + given.ConsumeBytes(LONGEST)))
    if isinstance(outcome, Decoded):
        for reading in outcome.said.readings:
            assert not isinstance(reading, Measurement) or abs(reading.value) <= 1 << 53, reading


def framings(octets: bytes) -> None:
    given = atheris.FuzzedDataProvider(octets)
    framing = given.PickValueInList(FRAMINGS)
    portions = [given.ConsumeIntInRange(1, 16) for _ in range(8)]
    stream = given.ConsumeBytes(LONGEST)
    deframer, cut, at = framing.deframer(), [], 0
    for size in [*portions, LONGEST]:
        cut += map(told, deframer.feed(stream[at : at + size]))
        at += size
    assert cut == list(map(told, framing.deframer().feed(stream))), (framing, stream.hex())


def told(each: bytes | BadFrame) -> tuple[str, bytes]:
    return (each.reason, each.payload) if isinstance(each, BadFrame) else ("", each)


TARGETS = {"profiles": profiles, "framings": framings}


def main() -> None:
    target = TARGETS.get(sys.argv[1] if len(sys.argv) > 1 else "")
    if target is None:
        sys.exit(f"usage: python -m tests.fuzz {{{','.join(TARGETS)}}} [-max_total_time=SECONDS] [FILE]")
    options = ["-max_len=512", "-timeout=5", "-rss_limit_mb=2048", *sys.argv[2:]]
    atheris.Setup([f"fuzz {sys.argv[1]}", *options], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
