"""The decoders that a profile can name with `decoder:`."""

from collections.abc import Mapping

from drivers.decoders import bthome, mibeacon
from drivers.decoders.contract import Decoder

DECODERS: Mapping[str, Decoder] = {
    "bthome": bthome.DECODER,
    "mibeacon": mibeacon.DECODER,
}
