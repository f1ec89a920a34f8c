"""Framings: how a serial line's bytes are cut into frames, and how what is no frame is told.

A deframer takes bytes in any portions and gives the same payloads and the same refusals for every way of cutting
them. After a broken frame it looks on from the byte after the false start, so a good frame inside the span that a
wrong length claimed is still found. It never holds more than one longest frame. Half a frame followed by silence
costs patience, not a frame: what follows is held back until as many bytes have come as the half frame's length
says, at most `longest`, and is then found. So state `longest` no larger than the format needs.
"""

from drivers.framing.contract import KEPT, Deframer, Framing, Refusal
from drivers.framing.length import Counts, LengthFraming
from drivers.framing.line import LineFraming

__all__ = ["KEPT", "Counts", "Deframer", "Framing", "LengthFraming", "LineFraming", "Refusal"]
