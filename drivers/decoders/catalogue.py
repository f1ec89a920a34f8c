"""The decoders that a profile can name with `decoder:`."""

from collections.abc import Mapping

from drivers.decoders import bthome, eddystone_tlm, mibeacon
from drivers.decoders.contract import Decoder

DECODERS: Mapping[str, Decoder] = {
    "bthome": bthome.DECODER,
    "eddystone-tlm": eddystone_tlm.DECODER,
    "mibeacon": mibeacon.DECODER,
}
