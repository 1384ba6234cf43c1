"""What the roles of a deal share, over the contracts that the asker sees (IT-6). NumPy loads with the question."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router
from pydantic import Field

from fairlead.common.access import access
from fairlead.common.rest import Answer

from .schemas import RateOut, rate_out

router = Router(tags=["insight"])
Kind = Literal["satisfaction", "profit", "collection"]
Role = Literal["AR", "SR", "FR"]
Number = Annotated[int | None, Query(), Field(ge=1, le=2**63 - 1)]


class SharedFigureOut(Answer):
    """`met`: of the contracts measured against a target. `value`: the mean score of 10, the sum of profits in `currency`, or
    the mean share in percent that was paid by its due date; null where nothing was measured. `elsewhere`: contracts in
    other currencies that the sum leaves out."""

    kind: Kind
    met: RateOut
    value: Decimal | None
    target: Decimal | None
    n: int
    elsewhere: int


class HolderFiguresOut(Answer):
    role: Role
    person: int
    name: str
    contracts: int
    together: RateOut
    figures: list[SharedFigureOut]


class TeamFiguresOut(Answer):
    """`together`: contracts on which all was met, of those decided; one figure that failed fails all. Without the right to
    see margins, profit is in neither."""

    contracts: int
    currency: str
    together: RateOut
    figures: list[SharedFigureOut]
    people: list[HolderFiguresOut]


@router.get("/figures/deal-team", response=TeamFiguresOut, operation_id="deal_team_figures")
@access("funnel.view", api=True)
def figures(
    request: HttpRequest,
    process: Annotated[str, Query(pattern=r"^[a-z0-9_-]{0,60}$")] = "",
    signed_from: Annotated[date | None, Query()] = None,
    signed_until: Annotated[date | None, Query()] = None,
    team: Number = None,
    role: Annotated[Role | None, Query()] = None,
    person: Number = None,
) -> dict[str, Any]:
    """Satisfaction, profit and collection over contracts that both sides signed in a period, together and by whoever holds
    AR, SR or FR; the last year where no days are named. `team`: with every team below it."""
    from .team_figures import Asked, find

    query = {
        "process": process, "from": signed_from, "to": signed_until, "team": team, "role": role, "person": person,
    }  # fmt: skip
    asked = Asked.read({name: "" if value is None else str(value) for name, value in query.items()})
    found = find(request.user, asked, at=timezone.now())
    return {
        **_figures(found),
        "currency": found.currency,
        "people": [
            {
                "role": held,
                "person": who.pk,
                "name": who.name,
                **_figures(found.held_by(held, who.pk)),
            }
            for held, who in found.people()
            if (role is None or held == role) and (person is None or who.pk == person)
        ],
    }


def _figures(found: Any) -> dict[str, Any]:
    summaries = [found.summary(kind) for kind in found.kinds]
    return {
        "contracts": len(found.lines),
        "together": rate_out(found.together),
        "figures": [
            {
                "kind": one.kind, "met": rate_out(one.met), "value": one.value, "target": one.target, "n": one.n,
                "elsewhere": one.elsewhere,
            }
            for one in summaries
        ],
    }  # fmt: skip
