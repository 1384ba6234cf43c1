"""Shapes of segments, accounts, contacts and opportunities in the API, made from their field catalogue."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from fairlead.common.rest import Answer, Body, Id
from fairlead.fields.schemas import answer_model, body_model
from fairlead.process.schemas import JourneyOut

from . import catalogue
from .models import ContactRole, DealTeamMember

SegmentIn = body_model("SegmentIn", catalogue.SEGMENT, partial=False, doc="A market segment.")
SegmentChange = body_model("SegmentChange", catalogue.SEGMENT, partial=True, doc="The fields to change.")
SegmentOut = answer_model("SegmentOut", catalogue.SEGMENT, doc="A market segment as the asker may see it.")

AccountIn = body_model("AccountIn", catalogue.ACCOUNT, partial=False, doc="A company.")
AccountChange = body_model("AccountChange", catalogue.ACCOUNT, partial=True, doc="The fields to change.")
_STRENGTH = (Literal["strong", "fair", "weak", "none"] | None, None)  # only where a list is asked by it
AccountOut = answer_model(
    "AccountOut", catalogue.ACCOUNT, doc="A company as the asker may see it.", strength=_STRENGTH
)

ContactIn = body_model("ContactIn", catalogue.CONTACT, partial=False, doc="A person at an account.")
ContactChange = body_model("ContactChange", catalogue.CONTACT, partial=True, doc="The fields to change.")
ContactOut = answer_model(
    "ContactOut", catalogue.CONTACT, doc="A person at an account as the asker may see them.",
    left_at=(datetime | None, None), strength=_STRENGTH,
)  # fmt: skip

_PROCESS = (
    Annotated[
        str, Field(pattern=r"^([a-z][a-z0-9_]{0,59})?$", description="Where it sets out; blank: the default")
    ],
    "",
)
OpportunityIn = body_model(
    "OpportunityIn", catalogue.OPPORTUNITY, partial=False, doc="A possible sale.", process=_PROCESS
)
OpportunityChange = body_model(
    "OpportunityChange", catalogue.OPPORTUNITY, partial=True, doc="The fields to change."
)
OpportunityOut = answer_model(
    "OpportunityOut", catalogue.OPPORTUNITY, doc="A possible sale as the asker may see it, with its journey.",
    journey=(JourneyOut | None, None), commercial_locked=(bool, ...), predecessor=(int | None, None),
    merged_into=(int | None, None),
)  # fmt: skip


class ReassignIn(Body):
    owner: Id
    reason: Annotated[str, Field(max_length=60)] = ""


class MemberIn(Body):
    """`person` null empties the slot."""

    person: Id | None


class MemberOut(Answer):
    role: str
    person: int
    from_date: date
    to_date: date | None


class MembersOut(Answer):
    items: list[MemberOut]


class ContactRoleIn(Body):
    contact: Id
    role: Literal["EB", "UB", "TB", "PUR", "COACH", "INFLUENCER", "OPPONENT"]
    stance: Annotated[int, Field(strict=True, ge=-2, le=2)] = 0
    influence: Annotated[int, Field(strict=True, ge=1, le=5)] = 3
    depth: Annotated[int, Field(strict=True, ge=0, le=4)] = 1


class ContactRoleOut(Answer):
    id: int
    contact: int
    role: str
    stance: int
    influence: int
    depth: int
    recorded_at: datetime
    removed_at: datetime | None


class ContactRolesOut(Answer):
    items: list[ContactRoleOut]


class ChangeOut(Answer):
    before: Any = None
    after: Any = None


class EventOut(Answer):
    """One event of the journal: codes, numbers and ids; `text` and `changes` only where the asker may read them."""

    id: int
    type: str
    subject_type: str
    subject_id: int
    journey: int | None
    at: datetime
    recorded_at: datetime
    actor: int | None
    on_behalf_of: int | None
    channel: str
    reason: str
    from_stage: str
    to_stage: str
    evaluation_id: int | None
    fidelity: str
    batch_id: int | None
    data: dict[str, Any]
    text: str = ""
    changes: dict[str, ChangeOut] = {}


def member_out(row: DealTeamMember) -> dict[str, Any]:
    return {"role": row.role, "person": row.person_id, "from_date": row.from_date, "to_date": row.to_date}


def contact_role_out(row: ContactRole) -> dict[str, Any]:
    return {
        "id": row.pk, "contact": row.contact_id, "role": row.role, "stance": row.stance, "influence": row.influence,
        "depth": row.depth, "recorded_at": row.recorded_at, "removed_at": row.removed_at,
    }  # fmt: skip
