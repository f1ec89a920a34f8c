"""Which wearables there are; known to the world and to the tests."""

PENDANTS, STRAP, BAND, SHY = range(5), 5, 6, 7
"""Those that can be called: five with keys and a pulse to be told, one with a pulse and no keys, one with keys that
wants no call but can be buzzed, and one that tells its battery only to whom it is bonded with."""
FIRST = 8
"""Of those that only advertise."""
ADVERTISED_BPM, NOTIFIED_BPM = range(60, 120), range(120, 180)
"""So that a pulse tells which way it came."""
BATTERY = 77
