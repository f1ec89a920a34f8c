"""What keys are for: the most particular entry counts, and whoever knows more may say otherwise."""

import pytest
from pydantic import TypeAdapter

from drivers.base import Edge, KeyPress, Level, Occurrence, OccurrenceKind
from drivers.profile.buttons import mapper
from drivers.profile.model import FALL_WINDOW_MS, Buttons

BUTTONS = TypeAdapter(Buttons)
MAPPED = mapper(
    BUTTONS.validate_python(
        {
            "any": "test",
            "long": {"kind": "service_request", "service": "ride"},
            "2": "sos",
            "2 long": {"kind": "fall", "confirms_fall": True},
        }
    )
)


@pytest.mark.parametrize(
    ("press", "button", "kind"),
    [
        (None, None, OccurrenceKind.TEST),
        (KeyPress.SINGLE, 1, OccurrenceKind.TEST),
        (KeyPress.LONG, None, OccurrenceKind.SERVICE_REQUEST),
        (KeyPress.LONG, 1, OccurrenceKind.SERVICE_REQUEST),
        (KeyPress.SINGLE, 2, OccurrenceKind.SOS),
        (None, 2, OccurrenceKind.SOS),
        (KeyPress.LONG, 2, OccurrenceKind.FALL),
    ],
)
def test_the_most_particular_entry_counts(press: KeyPress | None, button: int | None, kind: OccurrenceKind) -> None:
    pressed = Occurrence(OccurrenceKind.BUTTON, Edge(7), press=press, button=button)
    mapped = MAPPED(pressed)
    assert (mapped.kind, mapped.press, mapped.button, mapped.behaviour) == (kind, press, button, Edge(7))
    assert mapped.service == ("ride" if kind is OccurrenceKind.SERVICE_REQUEST else None)
    fall = kind is OccurrenceKind.FALL
    assert (mapped.window_ms, mapped.confirms_fall) == (FALL_WINDOW_MS if fall else 0, fall)


def test_a_key_that_a_profile_gave_a_purpose_may_be_given_another() -> None:
    once = mapper(BUTTONS.validate_python({"single": "sos"}))(
        Occurrence(OccurrenceKind.BUTTON, Level(active=True), press=KeyPress.SINGLE)
    )
    assert once.kind is OccurrenceKind.SOS
    assert mapper(BUTTONS.validate_python({"single": "test"}))(once).kind is OccurrenceKind.TEST


def test_what_is_no_key_and_what_no_entry_speaks_of_stays() -> None:
    for stated in (Occurrence(OccurrenceKind.SOS, Edge(1)), Occurrence(OccurrenceKind.FALL, Edge(1), button=2)):
        assert MAPPED(stated) == stated
    other = Occurrence(OccurrenceKind.BUTTON, Edge(1), press=KeyPress.DOUBLE)
    assert mapper(BUTTONS.validate_python({"3 double": "sos"}))(other) == other


@pytest.mark.parametrize("name", ["twice", "", "long 2", "any long", "1234"])
def test_a_press_that_no_key_has_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no press of a key"):
        BUTTONS.validate_python({name: "sos"})
