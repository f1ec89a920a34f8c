"""What the keys of a device are for, where its format only says that one was pressed."""

from collections.abc import Callable

from msgspec.structs import replace

from drivers.base import Occurrence, OccurrenceKind
from drivers.profile.model import FALL_WINDOW_MS, Buttons

Mapped = Callable[[Occurrence], Occurrence]


def mapper(buttons: Buttons) -> Mapped:
    """What the press of a key stands for. The most particular entry counts; what none speaks of stays as it is.

    What the format itself states is left alone; what a profile said of a key, a roster entry may say otherwise.
    """

    def mapped(occurrence: Occurrence) -> Occurrence:
        if occurrence.kind is not OccurrenceKind.BUTTON and not occurrence.assigned:
            return occurrence
        number = "" if occurrence.button is None else str(occurrence.button)
        press = "" if occurrence.press is None else occurrence.press.value
        for name in (f"{number} {press}", number, press, "any"):
            if (code := buttons.get(name)) is not None:
                default = FALL_WINDOW_MS if code.kind is OccurrenceKind.FALL else 0
                return replace(
                    occurrence,
                    kind=code.kind,
                    service=code.service,
                    window_ms=default if code.window is None else code.window,
                    confirms_fall=code.confirms_fall,
                    assigned=True,
                )
        return occurrence

    return mapped
