"""Framings: how a serial line's bytes are cut into frames, and how what is no frame is told.

A deframer takes bytes in any portions and gives the same payloads and the same refusals for every way of cutting
them. After a broken frame it looks on from the byte after the false start, so a good frame inside the span that a
wrong length claimed is still found. It never holds more than one longest frame. Half a frame followed by silence
costs patience, not a frame: what follows is held back until as many bytes have come as the half frame's length
says, at most `longest`, and is then found. So state `longest` no larger than the format needs.

There are two ways to find a frame, each with one deframer: by what it begins with (seek.py), or by a delimiter that
cannot stand inside it (cut.py). A framing says what a frame is; the deframer is the same for all of a way.
"""

from drivers.framing.bracketed import BracketedFraming
from drivers.framing.check import Check, Tail
from drivers.framing.cobs import CobsFraming
from drivers.framing.contract import KEPT, Deframer, Framing, Refusal
from drivers.framing.escaped import SLIP_CODES, EscapedFraming, complemented
from drivers.framing.esp3 import Esp3Framing
from drivers.framing.fixed import FixedFraming
from drivers.framing.length import Counts, LengthFraming
from drivers.framing.line import LineFraming, joined
from drivers.framing.login import LoginFraming
from drivers.framing.rf_bridge import RfBridgeFraming
from drivers.framing.several import SeveralFramings

__all__ = [
    "KEPT",
    "SLIP_CODES",
    "BracketedFraming",
    "Check",
    "CobsFraming",
    "Counts",
    "Deframer",
    "EscapedFraming",
    "Esp3Framing",
    "FixedFraming",
    "Framing",
    "LengthFraming",
    "LineFraming",
    "LoginFraming",
    "Refusal",
    "RfBridgeFraming",
    "SeveralFramings",
    "Tail",
    "complemented",
    "joined",
]
