"""Whom we sell to and what we might sell. Rows change only through `services`."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from fairlead.process.models import Journey

from .enums import BuyingRole, DealType, ManyRowState, ManyState, Source, TeamRole, Tier
from .querysets import (
    AccountQuerySet,
    ContactQuerySet,
    OpportunityQuerySet,
    SavedViewQuerySet,
    SegmentQuerySet,
)

USER = settings.AUTH_USER_MODEL
TEAM = "organisation.Team"


class Record(models.Model):
    """What every record of this room has. `search_key` finds it by name, pinyin and initials."""

    name = models.CharField(max_length=200)
    search_key = models.CharField(max_length=900, editable=False, default="")
    owner = models.ForeignKey(USER, models.PROTECT, null=True, blank=True, related_name="+")
    team = models.ForeignKey(TEAM, models.PROTECT, null=True, blank=True, related_name="+")
    custom = models.JSONField(default=dict, blank=True)
    external_id = models.CharField(max_length=100, blank=True, default="")
    is_sample = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name


class Segment(Record):
    """A market segment being researched (stage 1 of the value chain)."""

    market_size = models.DecimalField(max_digits=18, decimal_places=2, null=True, blank=True)
    growth = models.DecimalField(max_digits=7, decimal_places=2, null=True, blank=True)  # percent a year
    description = models.TextField(blank=True, default="")

    objects = SegmentQuerySet.as_manager()


class Sounding(models.Model):
    """Lists stand in the order of the sound of names: pinyin with tones, which the services keep in `name_key`."""

    name_key = models.CharField(max_length=400, editable=False, default="")

    class Meta:
        abstract = True


class Account(Sounding, Record):
    """A company we sell to, or want to."""

    short_name = models.CharField(max_length=100, blank=True, default="")
    uscc = models.CharField(max_length=18, blank=True, default="")  # 统一社会信用代码
    industry = models.CharField(max_length=100, blank=True, default="")
    tier = models.CharField(max_length=5, choices=Tier, blank=True, default="")
    region = models.CharField(max_length=100, blank=True, default="")
    city = models.CharField(max_length=100, blank=True, default="")
    employees = models.PositiveIntegerField(null=True, blank=True)
    annual_revenue = models.DecimalField(max_digits=18, decimal_places=2, null=True, blank=True)
    website = models.CharField(max_length=300, blank=True, default="")
    phone = models.CharField(max_length=60, blank=True, default="")
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")
    segment = models.ForeignKey(Segment, models.PROTECT, null=True, blank=True, related_name="accounts")
    is_customer = models.BooleanField(default=False)
    source = models.CharField(max_length=20, choices=Source, blank=True, default="")

    objects = AccountQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="account_not_its_own_parent", condition=Q(parent=None) | ~Q(parent=models.F("id"))
            ),
            models.UniqueConstraint(fields=["uscc"], condition=~Q(uscc=""), name="account_uscc_once"),
        ]
        indexes = [
            models.Index(fields=["name", "id"], name="account_name"),
            models.Index(fields=["name_key", "id"], name="account_sound"),
            models.Index(fields=["owner", "name_key"], name="account_owner_sound"),
            models.Index(fields=["team", "name_key"], name="account_team_sound"),
            models.Index(fields=["external_id"], name="account_external", condition=~Q(external_id="")),
        ]


class Contact(Sounding, Record):
    """A person at an account. Not a user of this program: editing a contact never touches a sign-in."""

    account = models.ForeignKey(Account, models.PROTECT, related_name="contacts")
    title = models.CharField(max_length=100, blank=True, default="")
    department = models.CharField(max_length=100, blank=True, default="")
    email = models.CharField(max_length=254, blank=True, default="")
    phone = models.CharField(max_length=60, blank=True, default="")
    mobile = models.CharField(max_length=60, blank=True, default="")
    note = models.TextField(blank=True, default="")
    left_at = models.DateTimeField(null=True, blank=True)  # left the company

    objects = ContactQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["account", "name_key"], name="contact_account_sound"),
            models.Index(fields=["name_key", "id"], name="contact_sound"),
            models.Index(fields=["name", "id"], name="contact_name"),
        ]


class Product(models.Model):
    """What is sold."""

    name = models.CharField(max_length=200, unique=True)
    code = models.CharField(max_length=60, blank=True, default="")
    series = models.CharField(max_length=100, blank=True, default="")
    list_price = models.DecimalField(max_digits=18, decimal_places=2, null=True, blank=True)
    currency = models.CharField(max_length=3, default="CNY")
    is_sample = models.BooleanField(default=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


_SEEN_BY = ("team", "owner", "sr", "fr", "journey")


class Opportunity(Record):
    """A possible sale. Its stage and state live on its journey and change only through a move."""

    account = models.ForeignKey(Account, models.PROTECT, null=True, blank=True, related_name="opportunities")
    journey = models.OneToOneField(Journey, models.PROTECT, null=True, blank=True, related_name="+")
    product = models.ForeignKey(Product, models.PROTECT, null=True, blank=True, related_name="+")
    amount = models.DecimalField(max_digits=18, decimal_places=2, null=True, blank=True)
    currency = models.CharField(max_length=3, default="CNY")  # ISO 4217
    expected_close_date = models.DateField(null=True, blank=True)
    deal_type = models.CharField(max_length=10, choices=DealType, default=DealType.NEW)
    is_tender = models.BooleanField(default=False)
    source = models.CharField(max_length=20, choices=Source, blank=True, default="")
    description = models.TextField(blank=True, default="")
    competitor = models.CharField(max_length=200, blank=True, default="")
    discount = models.DecimalField(max_digits=6, decimal_places=2, null=True, blank=True)  # percent
    margin = models.DecimalField(max_digits=6, decimal_places=2, null=True, blank=True)  # percent
    # Who fills the slots of the iron triangle today: copies of the open `DealTeamMember` rows.
    ar = models.ForeignKey(USER, models.PROTECT, null=True, blank=True, related_name="+")
    sr = models.ForeignKey(USER, models.PROTECT, null=True, blank=True, related_name="+")
    fr = models.ForeignKey(USER, models.PROTECT, null=True, blank=True, related_name="+")
    predecessor = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")
    incomplete = models.BooleanField(default=False)  # came in without what every deal has
    # A double: `merged_into` goes on for both, this one stays to be read (MV-8).
    merged_into = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="merged_from", db_index=False
    )
    commercial_locked = models.BooleanField(default=False)  # won: amount, currency and product stand

    objects = OpportunityQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="opportunity_amount_not_negative", condition=Q(amount=None) | Q(amount__gte=0)
            ),
            models.CheckConstraint(
                name="opportunity_margin_at_most_100", condition=Q(margin=None) | Q(margin__lte=100)
            ),
            models.CheckConstraint(
                name="opportunity_not_merged_into_itself",
                condition=Q(merged_into=None) | ~Q(merged_into=models.F("id")),
            ),
        ]
        indexes = [
            # With all that decides who sees a deal: what a reader does not see is passed over in the index.
            models.Index(fields=["-amount", "-id", *_SEEN_BY], name="opportunity_amount"),
            models.Index(fields=["expected_close_date", "id", *_SEEN_BY], name="opportunity_close"),
            models.Index(fields=["-created_at", "-id", *_SEEN_BY], name="opportunity_created"),
            models.Index(fields=["name", "id", *_SEEN_BY], name="opportunity_name"),
            models.Index(fields=["owner", "-created_at"], name="opportunity_owner"),
            models.Index(fields=["team", "-created_at"], name="opportunity_team"),
            models.Index(fields=["account", "-created_at"], name="opportunity_account"),
            models.Index(fields=["external_id"], name="opportunity_external", condition=~Q(external_id="")),
            models.Index(
                fields=["merged_into"], name="opportunity_merged", condition=Q(merged_into__isnull=False)
            ),
        ]


class DealTeamMember(models.Model):
    """Who fills a slot of the iron triangle on a deal, from when to when (IT-1)."""

    opportunity = models.ForeignKey(Opportunity, models.CASCADE, related_name="team_members")
    role = models.CharField(max_length=2, choices=TeamRole)
    person = models.ForeignKey(USER, models.PROTECT, related_name="+")
    from_date = models.DateField()
    to_date = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["opportunity", "role"], condition=Q(to_date=None), name="deal_role_once_at_a_time"
            ),
        ]
        indexes = [models.Index(fields=["person", "to_date"], name="deal_member_person")]


class ContactRole(models.Model):
    """The part that a contact plays in one deal: buying role, stance −2…+2, influence 1–5, contact depth 0–4."""

    opportunity = models.ForeignKey(Opportunity, models.CASCADE, related_name="contact_roles")
    contact = models.ForeignKey(Contact, models.PROTECT, related_name="deal_roles")
    role = models.CharField(max_length=12, choices=BuyingRole)
    stance = models.SmallIntegerField(default=0)
    influence = models.PositiveSmallIntegerField(default=3)
    depth = models.PositiveSmallIntegerField(default=0)
    recorded_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["opportunity", "contact", "role"],
                condition=Q(removed_at=None),
                name="contact_role_once",
            ),
            models.CheckConstraint(name="contact_role_stance", condition=Q(stance__gte=-2, stance__lte=2)),
            models.CheckConstraint(
                name="contact_role_influence", condition=Q(influence__gte=1, influence__lte=5)
            ),
            models.CheckConstraint(name="contact_role_depth", condition=Q(depth__lte=4)),
        ]


class SavedView(models.Model):
    """How somebody looks at a list: `q`, `filter`, `sort`, `cols` as its address holds them, under a name.

    `roles`: whose first view it is. A view that was deleted stays for whoever takes that back.
    """

    kind = models.CharField(max_length=30)
    name = models.CharField(max_length=100)
    q = models.CharField(max_length=100, blank=True, default="")
    tree = models.JSONField(null=True, blank=True)
    sort = models.CharField(max_length=60, blank=True, default="")
    cols = models.CharField(max_length=500, blank=True, default="")
    owner = models.ForeignKey(USER, models.PROTECT, related_name="+")
    is_shared = models.BooleanField(default=False)
    roles = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        constraints = [models.CheckConstraint(name="saved_view_named", condition=~Q(name=""))]
        indexes = [models.Index(fields=["kind", "owner"], name="saved_view_own")]

    def __str__(self) -> str:
        return self.name


class FirstView(models.Model):
    """The view with which a list opens for one person."""

    person = models.ForeignKey(USER, models.CASCADE, related_name="+")
    kind = models.CharField(max_length=30)
    view = models.ForeignKey(SavedView, models.CASCADE, related_name="first_of")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "kind"], name="first_view_once")]


class ManyChange(models.Model):
    """One change of many records: a field, the owner, or the next stage. Its rows say what became of each."""

    kind = models.CharField(max_length=30)
    what = models.CharField(max_length=60)  # key of the field, `owner`, or `next_stage`
    value = models.JSONField(null=True, blank=True)
    state = models.CharField(max_length=8, choices=ManyState, default=ManyState.WAITING)
    by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    language = models.CharField(max_length=8, default="zh-hans")  # of what its rows say
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["by", "-id"], name="many_change_mine")]

    def __str__(self) -> str:
        return f"{self.kind} {self.what}"


class ManyChangeRow(models.Model):
    """One record of it. `before` is what undo puts back, if the record still has `version`."""

    change = models.ForeignKey(ManyChange, models.CASCADE, related_name="rows")
    record_id = models.BigIntegerField()
    state = models.CharField(max_length=8, choices=ManyRowState, default=ManyRowState.PENDING)
    why = models.CharField(max_length=20, blank=True, default="")
    said = models.TextField(blank=True, default="")
    before = models.JSONField(null=True, blank=True)
    version = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["change", "record_id"], name="many_change_row_once")]
        indexes = [models.Index(fields=["change", "state", "id"], name="many_change_row_queue")]


class SearchEntry(models.Model):
    """What the search index holds of one record, as text (see `terms.Entry`): what it must forget when that changes.

    The terms themselves stand in a full-text index beside it: on SQLite the table `crm_searchindex` (FTS5), on
    PostgreSQL the column `terms` of this table (tsvector, with a GIN index).
    """

    id = models.BigIntegerField(primary_key=True)  # `terms.number_of` the record
    text = models.CharField(max_length=2200)

    class Meta:
        constraints = [models.CheckConstraint(name="search_entry_of_a_record", condition=Q(id__gt=0))]


from .plan_models import PlanStep  # noqa: E402 - it hangs on Opportunity and Contact
from .team_models import BonusSplit, HandOver, RoleQuestion  # noqa: E402 - they hang on Opportunity

__all__ = [
    "Account",
    "BonusSplit",
    "Contact",
    "ContactRole",
    "DealTeamMember",
    "FirstView",
    "HandOver",
    "ManyChange",
    "ManyChangeRow",
    "Opportunity",
    "PlanStep",
    "Product",
    "Record",
    "RoleQuestion",
    "SavedView",
    "SearchEntry",
    "Segment",
]
