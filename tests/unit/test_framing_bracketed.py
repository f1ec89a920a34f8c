"""bracketed: text that says how long it is, so that a bracket in it ends nothing."""

import pytest

from drivers.framing import BracketedFraming, Framing
from tests.support.streams import heard, one_by_one

WATCH = BracketedFraming(1200, slack=8)
STRICT = BracketedFraming(60)


@pytest.mark.parametrize(
    ("frame", "body"),
    [
        # traccar's WatchFrameDecoderTest and WatchProtocolDecoderTest
        ("[3G*9705141740*0009*LK,0,0,53]", "3G*9705141740*LK,0,0,53"),
        ("[ZJ*014111001350304*0034*0009*LK,0,0,19]", "ZJ*014111001350304*0034*LK,0,0,19"),
        ("[ZJ*357653059860416*0007*000c*BLOOD,109,68]", "ZJ*357653059860416*0007*BLOOD,109,68"),
        ("[SG*8800000015*0002*LK]", "SG*8800000015*LK"),
        # lengths and contents that could be taken for a running number
        ("[3G*8800000015*0004*BEEF]", "3G*8800000015*BEEF"),
        ("[3G*8800000015*0000*]", "3G*8800000015*"),
        ("[3G*8800000015*0001*0001*x]", "3G*8800000015*0001*x"),
    ],
)
def test_the_length_is_taken_out_and_put_in_again(frame: str, body: str) -> None:
    octets = frame.encode()
    assert heard(WATCH, [octets]) == heard(WATCH, one_by_one(octets)) == [body.encode()]
    assert WATCH.wrap(body.encode()).lower() == octets.lower()


def test_brackets_and_binary_content_end_nothing() -> None:
    content = b"UD,1,[LG_Wall-Mount] A/C],\x00\xff]],-72"
    frame = b"[3G*8809002420*%04X*%s]" % (len(content), content)
    expected = [b"3G*8809002420*" + content, b"3G*8809002420*LK"]
    stream = frame + b"[3G*8809002420*0002*LK]"
    assert heard(WATCH, [stream]) == heard(WATCH, one_by_one(stream)) == expected


def test_firmware_that_counts_too_few_is_heard_where_the_profile_allows_it() -> None:
    # The length is three short, as in every frame of this firmware that traccar's tests hold.
    place = b"V,40.058413,N,76.336618,W,11.519,188,99,00,01,80,0,50,00000000,0,1,0,0,,10"
    frame = b"[SG*9051004074*0058*AL,120117,145602,%s]" % place
    assert heard(WATCH, [frame]) == heard(WATCH, one_by_one(frame)) == [frame.replace(b"0058*", b"")[1:-1]]
    assert heard(BracketedFraming(1200), [frame, b"[3G*1*0002*LK]"])[-1] == b"3G*1*LK"
    assert heard(BracketedFraming(1200), [frame])[0][0] == "no_end"


def test_half_a_frame_gives_way_to_the_next_ones() -> None:
    half, link = b"[3G*8800000015*0040*AL,1201", b"[3G*8800000015*0002*LK]"
    stream = half + link * 4
    bodies = [each for each in heard(WATCH, [stream]) if isinstance(each, bytes)]
    assert bodies == [b"3G*8800000015*LK"] * 4
    assert heard(WATCH, one_by_one(stream)) == heard(WATCH, [stream])


@pytest.mark.parametrize(
    ("octets", "sentence"),
    [
        ("3G*1*0002*LK]", "holds no bracket"),
        ("[3G*1*2*LK]", "does not begin like [3G*8800000015*0002*"),
        ("[3G*1*0002*L", "claims a content of 2 bytes, 1 are there"),
        ("[3G*1*00ff*LK]", "claims a content of 255 bytes; the longest frame takes 60"),
        ("[3G*1*0002*LK,0]", "holds no closing bracket behind the 2 bytes that it claims"),
        ("..[3G*1*0002*LK]", ""),
    ],
)
def test_the_bench_is_told_what_is_wrong(octets: str, sentence: str) -> None:
    assert STRICT.explain(octets.encode()) == sentence


@pytest.mark.parametrize(("framing", "body"), [(WATCH, b"LK"), (STRICT, b"3G*1*" + bytes(60))])
def test_a_body_that_cannot_be_carried_is_refused(framing: Framing, body: bytes) -> None:
    with pytest.raises(ValueError, match="a body of"):
        framing.wrap(body)
