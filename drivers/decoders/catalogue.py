"""The decoders that a profile can name with `decoder:`."""

from collections.abc import Mapping

from drivers.decoders import bthome, eddystone_tlm, esp3, gt06, jt808, mibeacon, sonoff_rf, watch_3g
from drivers.decoders.contract import Decoder

DECODERS: Mapping[str, Decoder] = {
    "bthome": bthome.DECODER,
    "eddystone-tlm": eddystone_tlm.DECODER,
    "esp3": esp3.DECODER,
    "gt06": gt06.DECODER,
    "jt808": jt808.DECODER,
    "mibeacon": mibeacon.DECODER,
    "sonoff-rf": sonoff_rf.DECODER,
    "watch-3g": watch_3g.DECODER,
}
