"""What a station may set of how its wearables and the way behind them are watched."""

from typing import Annotated

from pydantic import Field

from gateway.sections import Section
from gateway.written import Milliseconds, TopicPrefix, lasting


class Supervision(Section):
    """When a wearable counts as silent, as never put to use, and its battery as low."""

    silent_after: Annotated[Milliseconds, lasting("1s", "1d")] = 300_000
    """The shortest silence that is told; ten times the interval at which a device speaks, where that is longer."""
    commission_within: Annotated[Milliseconds, lasting("1s", "30d")] = 86_400_000
    """A device that was entered in the roster and is not heard within this is told of."""
    low_battery: Annotated[int, Field(strict=True, ge=1, le=50)] = 15
    """A battery with so many % or less is low, until it has 5 more."""
    low_voltage: Annotated[float, Field(ge=0.5, le=20)] = 2.5
    """The same for devices that only tell a voltage, in V; until it has 0.1 more. Coin cells of 3 V are low at 2.5."""
    weak_signal: Annotated[int, Field(strict=True, ge=-120, le=-40)] = -90
    """A signal that is weaker on average, in dBm, may not come through when somebody stands in between."""


class CallCentre(Section):
    """How the call centre shows that it is there."""

    heartbeat: Annotated[TopicPrefix | None, Field(examples=["398/v1/desk/heartbeat"])] = None
    """Topic on which it says so, on the same broker; left out, it is taken for granted."""
    within: Annotated[Milliseconds, lasting("1s", "1d")] = 180_000
    """How often it must; when it has not, nobody may be there."""
