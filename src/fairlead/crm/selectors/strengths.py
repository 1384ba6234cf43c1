"""How well we know many accounts or contacts: the same numbers as on their pages, in one question."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import BigIntegerField, Case, F, JSONField, OuterRef, Q, QuerySet, Subquery, Value, When

from fairlead.fields.catalogue import FieldSpec, Option
from fairlead.fields.enums import FieldType
from fairlead.work.enums import TWO_WAY, ActivityState
from fairlead.work.models import Activity

from ..models import Account, Contact, ContactRole, Opportunity
from ..strength import Strength, Touch, strength_of

NUMBER: Any = BigIntegerField()
_ACTIVITY, _PERSON, _ROLE = 0, 1, 2
LEVELS = {
    "strong": ("强", "Strong"), "fair": ("中", "Fair"), "weak": ("弱", "Weak"), "none": ("未接触", "Not in touch yet"),
}  # fmt: skip
STRENGTH = FieldSpec(
    key="strength",
    type=FieldType.CHOICE,
    label={"zh": "关系强度", "en": "Relationship"},
    help={
        "zh": "只按您能看到的跟进计算，打开记录可看依据",
        "en": "From the activities that you see alone; the record says what was counted",
    },
    options=tuple(Option(value, {"zh": zh, "en": en}) for value, (zh, en) in LEVELS.items()),
    settable=False,
)


def account_strengths(ids: Sequence[int], reader: Any, at: datetime) -> dict[int, Strength]:
    """Through all records of each account that the reader sees."""
    touches: dict[int, list[Touch]] = defaultdict(list)
    for pk, of, _deal, done_at, outcome, owner, _contacts, _kind in _of_accounts(list(ids), reader):
        touches[of].append(Touch(pk, done_at, outcome in TWO_WAY, owner))
    return {pk: strength_of(touches[pk], at=at) for pk in ids}


def contact_strengths(ids: Sequence[int], reader: Any, at: datetime) -> dict[int, Strength]:
    """Where each person took part, around the person's account and in the deals with a role for them."""
    touches: dict[int, list[Touch]] = defaultdict(list)
    homes: dict[int, int] = {}
    roles: set[tuple[int, int]] = set()
    named = []
    for row in _of_contacts(list(ids), reader):
        pk, of, deal, done_at, outcome, owner, contacts, kind = row
        if kind == _PERSON:
            homes[pk] = of
        elif kind == _ROLE:
            roles.add((of, deal))
        elif contacts is None:
            touches[of].append(Touch(pk, done_at, outcome in TWO_WAY, owner))
        else:
            named.append((of, deal, contacts, Touch(pk, done_at, outcome in TWO_WAY, owner)))
    for account, deal, contacts, touch in named:
        for contact in set(contacts) & homes.keys():
            if homes[contact] == account or (contact, deal) in roles:
                touches[contact].append(touch)
    return {pk: strength_of(touches[pk], at=at) for pk in ids}


def account_levels(ids: Sequence[int], reader: Any, at: datetime) -> dict[int, str]:
    return {pk: found.level for pk, found in account_strengths(ids, reader, at).items()}


def contact_levels(ids: Sequence[int], reader: Any, at: datetime) -> dict[int, str]:
    return {pk: found.level for pk, found in contact_strengths(ids, reader, at).items()}


_COLUMNS = ("c_pk", "c_of", "c_deal", "c_done_at", "c_outcome", "c_owner", "c_contacts", "c_kind")


def _rows(rows: QuerySet[Any], of: Any, deal: Any = None, contacts: Any = None) -> Any:
    """Done activities in the columns of the question; `of`: the record or the account that each belongs to."""
    return rows.filter(state=ActivityState.DONE).order_by().annotate(
        c_pk=F("pk"), c_of=of, c_deal=deal or Value(0, NUMBER), c_done_at=F("done_at"), c_outcome=F("outcome"),
        c_owner=F("owner_id"), c_contacts=contacts or Value(None, JSONField()), c_kind=Value(_ACTIVITY),
    ).values_list(*_COLUMNS)  # fmt: skip


def _others(rows: QuerySet[Any], kind: int, pk: Any, of: Any, deal: Any = None) -> Any:
    """What the activities hang on, in the same columns."""
    empty = Activity._meta.get_field("done_at")
    return rows.order_by().annotate(
        c_pk=pk, c_of=of, c_deal=deal or Value(0, NUMBER), c_done_at=Value(None, empty), c_outcome=Value(""),
        c_owner=Value(0, NUMBER), c_contacts=Value(None, JSONField()), c_kind=Value(kind),
    ).values_list(*_COLUMNS)  # fmt: skip


def _of_accounts(ids: list[int], reader: Any) -> Any:
    people = Contact.objects.filter(account__in=ids)
    deals = Opportunity.objects.visible_to(reader).filter(account__in=ids)
    own = Activity.objects.filter(subject_type="account", subject_id__in=ids)
    with_people = Activity.objects.filter(subject_type="contact", subject_id__in=people.values("pk"))
    on_deals = Activity.objects.filter(subject_type="opportunity", subject_id__in=deals.values("pk"))
    return _rows(own, F("subject_id")).union(
        _rows(with_people, _account_of(Contact)), _rows(on_deals, _account_of(Opportunity)), all=True
    )


def _of_contacts(ids: list[int], reader: Any) -> Any:
    people = Contact.objects.filter(pk__in=ids)
    roles = ContactRole.objects.filter(contact__in=ids)
    homes = people.values("account_id")
    seen = Account.objects.visible_to(reader).filter(pk__in=homes)
    deals = Opportunity.objects.visible_to(reader).filter(
        Q(account__in=homes) | Q(pk__in=roles.values("opportunity"))
    )
    own = Activity.objects.filter(subject_type="contact", subject_id__in=ids)
    around = Activity.objects.filter(
        Q(subject_type="account", subject_id__in=seen.values("pk"))
        | Q(subject_type="opportunity", subject_id__in=deals.values("pk"))
    ).exclude(contact_ids=[])
    account = Case(
        When(subject_type="account", then=F("subject_id")),
        default=_account_of(Opportunity),
        output_field=NUMBER,
    )
    return _rows(around, account, F("subject_id"), F("contact_ids")).union(
        _rows(own, F("subject_id")),
        _others(people, _PERSON, F("pk"), F("account_id")),
        _others(roles, _ROLE, F("pk"), F("contact_id"), F("opportunity_id")),
        all=True,
    )


def _account_of(model: Any) -> Any:
    return Subquery(
        model.objects.filter(pk=OuterRef("subject_id")).values("account_id")[:1], output_field=NUMBER
    )
