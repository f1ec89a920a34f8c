from gateway.model import Heard
from gateway.sightings import Sighting, Sightings
from tests.support.moments import moment


def test_the_latest_counts_and_a_frame_without_a_battery_leaves_what_is_known() -> None:
    sightings = Sightings()
    assert sightings.last("band-1") is None
    sightings.see("band-1", moment(0), Heard("serial:a", -60), 88)
    sightings.see("band-1", moment(5), Heard("ble:b", None), None)
    assert sightings.last("band-1") == Sighting(moment(5), Heard("ble:b", None), 88)
    sightings.see("band-1", moment(6), Heard("ble:b", -70), 0)
    assert sightings.last("band-1") == Sighting(moment(6), Heard("ble:b", -70), 0)
    assert sightings.last("band-2") is None
