from msgspec.structs import replace

from gateway.alerts import Move, Refusal, Rules
from gateway.book import FLOOD_ADDRESSES, Book, FloodLimit, Page
from gateway.inputs import Accept, Clear, Pressed
from gateway.model import AlertKey, AlertKind, AlertState, Drop, Heard, Press, Put, Reason, Severity, Wearable
from tests.support.moments import moment

WEEK = 7 * 24 * 3_600_000
CHANGE = Put("device", "00010203", b"seen")


def book() -> Book:
    return Book(Rules(), FloodLimit())


def sos(number: int, *, registered: bool = True, ms: int = 0, address: str | None = None) -> Pressed:
    address = address or f"{number:08x}"
    who = Wearable(address, f"band-{number}", f"w-{number}" if registered else None, None, registered)
    key = AlertKey(who.subject, AlertKind.SOS, None, test=False)
    return Pressed(key, who, Press(None, moment(ms)), Heard("serial:a", -60), f"id-{number}-{ms}", change=CHANGE)


def taken(page: Page, *given) -> Page:
    for one in given:
        page.take(one)
    page.adopt()
    return page


def test_nothing_is_believed_before_the_page_is_adopted():
    kept = book()
    page = Page(kept, moment(0))
    page.take(sos(1))
    assert list(kept.open()) == []
    page.adopt()
    assert [alert.id for alert in kept.open()] == ["id-1-0"]


def test_inputs_of_one_page_see_each_other():
    kept = book()
    page = Page(kept, moment(0))
    page.take(sos(1))
    page.take(sos(1, ms=5))
    answer = page.take(Clear("id-1-0", "desk"))
    page.take(sos(1, ms=9))
    assert isinstance(answer, Move)
    assert answer.alert.press_count == 2
    assert [notice.reason for notice in page.notices] == [Reason.PRESS, Reason.PRESS, Reason.CLEAR, Reason.PRESS]
    page.adopt()
    assert [alert.id for alert in kept.open()] == ["id-1-9"]
    assert kept.by_id("id-1-0").state is AlertState.CLEARED


def test_what_a_press_was_recognised_by_is_kept_in_the_same_transaction():
    page = Page(book(), moment(0))
    page.take(sos(1))
    spaces = [change.space for change in page.records()]
    assert sorted(spaces) == ["alert", "device"]


def test_open_alerts_survive_and_an_unaccepted_critical_one_asks_to_be_repeated_at_once():
    page = taken(Page(book(), moment(0)), sos(1), sos(2), Accept("id-2-0", "desk-3"))
    again = book()
    again.load({change.key: change.value for change in page.records() if change.space == "alert"})
    after = Page(again, moment(1_000))
    after.tick(lambda _: False)
    assert [(notice.alert.id, notice.reason) for notice in after.notices] == [("id-1-0", Reason.REPEAT)]


def test_a_late_acknowledgement_is_told_that_the_alert_is_cleared_for_a_week():
    kept = book()
    taken(Page(kept, moment(0)), sos(1), Clear("id-1-0", "desk-3"))
    assert Page(kept, moment(WEEK)).take(Accept("id-1-0", "desk-4")) is Refusal.ALREADY_CLEARED
    assert kept.forget(moment(WEEK + 1)) == [Drop("alert", "id-1-0")]
    assert Page(kept, moment(WEEK + 1)).take(Accept("id-1-0", "desk-4")) is Refusal.UNKNOWN


def test_twenty_strangers_raise_alerts_and_the_rest_are_one_flood():
    kept = book()
    page = taken(Page(kept, moment(0)), *(sos(n, registered=False) for n in range(1, 1_501)))
    kinds = [alert.key.kind for alert in kept.open()]
    assert kinds.count(AlertKind.SOS) == 20
    assert kinds.count(AlertKind.ALARM_FLOOD) == 1
    flood = next(alert for alert in kept.open() if alert.key.kind is AlertKind.ALARM_FLOOD)
    assert (flood.value, len(flood.addresses)) == (1_480, FLOOD_ADDRESSES)
    assert len(page.notices) == 21
    assert sum(change.space == "device" for change in page.records()) == 20


def test_a_flood_that_goes_on_writes_nothing_until_it_repeats():
    kept = book()
    taken(Page(kept, moment(0)), *(sos(n, registered=False) for n in range(1, 30)))
    page = taken(Page(kept, moment(1_000)), *(sos(n, registered=False) for n in range(100, 200)))
    assert page.empty
    later = Page(kept, moment(11_000))
    later.tick(lambda _: False)
    counted = [n.alert.value for n in later.notices if n.alert.key.kind is AlertKind.ALARM_FLOOD]
    assert counted == [109]


def test_a_flood_repeats_though_more_of_it_comes_with_every_tick():
    kept = book()
    taken(Page(kept, moment(0)), *(sos(n, registered=False) for n in range(1, 30)))
    page = Page(kept, moment(10_000))
    page.take(sos(100, registered=False))
    page.tick(lambda _: False)
    told = [(n.reason, n.alert.value) for n in page.notices if n.alert.key.kind is AlertKind.ALARM_FLOOD]
    assert told == [(Reason.REPEAT, 10)]


def test_registered_wearers_are_never_limited_by_a_flood():
    kept = book()
    taken(Page(kept, moment(0)), *(sos(n, registered=False) for n in range(1, 100)))
    page = taken(Page(kept, moment(1)), *(sos(n) for n in range(1_000, 1_100)))
    assert len(page.notices) == 100


def test_after_ten_minutes_strangers_are_heard_again():
    kept = book()
    taken(Page(kept, moment(0)), *(sos(n, registered=False) for n in range(1, 21)))
    page = Page(kept, moment(600_001))
    assert isinstance(page.take(sos(99, registered=False)), Move)
    assert page.notices[0].alert.key.kind is AlertKind.SOS


def test_a_further_press_of_a_known_stranger_is_no_new_alert_and_counts_though_others_are_a_flood():
    kept = book()
    taken(Page(kept, moment(0)), *(sos(n, registered=False) for n in range(1, 30)))
    page = Page(kept, moment(5))
    answer = page.take(sos(1, registered=False, ms=5))
    assert isinstance(answer, Move)
    assert answer.alert.press_count == 2


def test_a_stranger_who_presses_without_end_is_a_flood_and_holds_back_neither_wearers_nor_new_strangers():
    kept = book()
    taken(Page(kept, moment(0)), sos(1, registered=False))
    page = Page(kept, moment(1))
    for ms in range(1_000):
        page.take(sos(1, registered=False, ms=ms))
    assert [n.alert.key.kind for n in page.notices] == [AlertKind.SOS] * 20 + [AlertKind.ALARM_FLOOD]
    page.adopt()
    flood = next(alert for alert in kept.open() if alert.key.kind is AlertKind.ALARM_FLOOD)
    assert (flood.value, len(flood.addresses)) == (980, 1)
    page = taken(Page(kept, moment(2)), *(sos(2, ms=ms) for ms in range(50)), sos(3, registered=False))
    assert [n.alert.wearable.device for n in page.notices if n.alert.wearable][-1] == sos(3).wearable.device
    assert len(page.notices) == 51
    later = Page(kept, moment(600_002))
    assert isinstance(later.take(sos(1, registered=False, ms=600_002)), Move)


def test_a_condition_of_a_stranger_that_only_goes_on_is_no_press():
    kept = book()
    low = replace(sos(1, registered=False), key=replace(sos(1).key, kind=AlertKind.LOW_BATTERY))
    page = taken(Page(kept, moment(0)), *[low] * 100)
    assert len(page.notices) == 1


def test_a_flood_of_tests_is_a_test_itself_and_hides_no_real_one():
    kept = book()
    meant = [sos(n, registered=False) for n in range(100, 130)]
    tests = [replace(press, key=replace(press.key, test=True)) for press in meant[:29]]
    taken(Page(kept, moment(0)), *tests, *meant)
    floods = {alert.key.test: alert for alert in kept.open() if alert.key.kind is AlertKind.ALARM_FLOOD}
    assert (floods[True].severity, floods[True].value) == (Severity.TECHNICAL, 9)
    assert (floods[False].severity, floods[False].value) == (Severity.CRITICAL, 30)
