"""Sample data of a company that has just begun: loaded once, whatever happens meanwhile, and cleared to the last row."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone
from tests.kit.fingerprint import changed, db_fingerprint

from fairlead.common.refusals import NotPermitted
from fairlead.crm.models import Account, Contact, ContactRole, Opportunity, Segment
from fairlead.crm.services import create
from fairlead.crm.services.indexing import differences as index_differences
from fairlead.exchange import tasks
from fairlead.exchange.enums import SampleState
from fairlead.exchange.models import SampleData
from fairlead.exchange.samples.plan import ACCOUNTS, CONTACTS, DEALS, LOST, OPEN, SEGMENTS, WON
from fairlead.exchange.services import sample_loading, samples
from fairlead.exchange.services.samples import CannotLoad, begin_clear, begin_load, sample_data
from fairlead.journal.enums import Channel
from fairlead.journal.models import Event
from fairlead.journal.sealing import seal_all, verify
from fairlead.offers.services import create_contract
from fairlead.organisation import services as organisation
from fairlead.organisation.enums import ProcessTemplate, Role
from fairlead.organisation.models import User
from fairlead.process.enums import JourneyState
from fairlead.process.models import Clock, Journey, StageRow, Visit
from fairlead.process.services.rebuilding import differences, rebuild
from fairlead.work.models import Activity, Comment, Notification, Task
from fairlead.work.services import add_file, add_task, log_activity, set_attention, set_star

pytestmark = pytest.mark.django_db

KINDS: dict[str, tuple[Any, int]] = {
    "segment": (Segment, SEGMENTS),
    "account": (Account, ACCOUNTS),
    "contact": (Contact, CONTACTS),
    "opportunity": (Opportunity, DEALS),
}


def new_company(template: str = ProcessTemplate.PLAIN, language: str = "zh-hans") -> User:
    """What the first visit makes: an administrator, a team, a process."""
    return organisation.set_up(
        username="founder", name="周敏", password="correct-horse-battery", organisation_name="海星装备",
        language=language, time_zone="Asia/Shanghai", currency="CNY", template=template,
        at=timezone.now() - timedelta(hours=1),
    )  # fmt: skip


@pytest.fixture
def admin() -> User:
    return new_company()


def how(by: User) -> dict[str, Any]:
    return {"by": by, "at": timezone.now(), "channel": Channel.UI}


def loaded(by: User) -> SampleData:
    begin_load(**how(by))
    tasks.work_on_sample_data.call()
    return sample_data()


def cleared(by: User) -> SampleData:
    begin_clear(**how(by))
    tasks.work_on_sample_data.call()
    return sample_data()


def counts() -> dict[str, int]:
    return {kind: model.objects.count() for kind, (model, _n) in KINDS.items()}


WHOLE = {kind: n for kind, (_model, n) in KINDS.items()}


@pytest.mark.rule("U15", "U16")
@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("template", list(ProcessTemplate))
def test_a_lively_company_comes_with_every_template(template, language):
    admin = new_company(template, language)
    row = loaded(admin)

    assert (row.state, row.steps_done) == (SampleState.LOADED, row.steps_total)
    assert counts() == WHOLE
    assert all(model.objects.filter(is_sample=False).count() == 0 for model, _n in KINDS.values())
    journeys = Journey.objects.filter(subject_type="opportunity")
    states = list(journeys.values_list("state", flat=True))
    assert {s: states.count(s) for s in set(states)} == {
        JourneyState.OPEN: OPEN,
        JourneyState.WON: WON,
        JourneyState.LOST: LOST,
    }
    open_stages = set(journeys.open().values_list("stage__key", flat=True))
    version = journeys.first().process_version
    assert open_stages == set(
        StageRow.objects.filter(version=version, kind="open").values_list("key", flat=True)
    )
    now = timezone.now()
    steps = journeys.open().exclude(next_step_at=None)
    assert steps.filter(next_step_at__lt=now - timedelta(days=1)).exists()  # late ones
    assert steps.filter(next_step_at__gt=now).exists() and journeys.open().filter(next_step_at=None).exists()
    assert Visit.objects.filter(left_at__isnull=False).count() > DEALS
    assert Activity.objects.count() > DEALS and Task.objects.exists() and Comment.objects.exists()
    assert set(ContactRole.objects.values_list("role", flat=True)) == {"PUR", "UB", "EB", "TB", "COACH"}
    assert Account.objects.filter(is_customer=True).exists()
    is_chinese = "一" <= Account.objects.order_by("pk").first().name[0] <= "鿿"
    assert is_chinese == (language == "zh-hans")
    assert not Notification.objects.exists()  # what nobody did is news to nobody
    assert list(differences()) == [] and list(index_differences()) == []
    before = db_fingerprint(with_journal=False)
    rebuild()
    assert list(differences()) == []
    kept = ("process.Journey", "process.Visit", "process.Clock")
    after = db_fingerprint(with_journal=False)
    assert {k: before[k][0] for k in kept} == {k: after[k][0] for k in kept}


def test_nothing_lies_in_the_future_but_plans(admin):
    loaded(admin)

    now = timezone.now()
    assert not Visit.objects.filter(entered_at__gt=now).exists()
    assert not Activity.objects.filter(done_at__gt=now).exists()
    assert not Event.objects.filter(effective_at__gt=now).exists()
    assert not Event.objects.filter(recorded_at__lt=sample_data().begun_at, type="activity_done").exists()
    for journey in Journey.objects.all():
        entered = list(journey.visits.order_by("ordinal").values_list("entered_at", flat=True))
        assert entered == sorted(set(entered)) and journey.opened_at == entered[0]


def test_the_people_who_sell_get_a_share(admin):
    at = timezone.now()
    seller = organisation.create_user(
        username="seller", name="林芷若", password="correct-horse-battery", team=admin.team, by=None, at=at,
        channel=Channel.SYSTEM, roles=(Role.AR,),
    )  # fmt: skip
    organisation.create_user(
        username="auditor", name="沈计", password="correct-horse-battery", team=admin.team, by=None, at=at,
        channel=Channel.SYSTEM, roles=(Role.AUDITOR,),
    )  # fmt: skip
    loaded(admin)

    owners = set(Opportunity.objects.values_list("owner_id", flat=True))
    assert owners == {admin.pk, seller.pk}
    assert Opportunity.objects.visible_to(seller).count() == Opportunity.objects.filter(owner=seller).count()


@pytest.mark.rule("U16")
def test_it_is_loaded_once(admin):
    loaded(admin)

    with pytest.raises(CannotLoad):
        begin_load(**how(admin))
    tasks.work_on_sample_data.call()  # a job that comes twice
    assert counts() == WHOLE


def test_a_company_with_records_takes_none(admin):
    create("account", {"name": "真实客户"}, **how(admin))
    before = db_fingerprint()

    with pytest.raises(CannotLoad):
        begin_load(**how(admin))
    assert changed(before, db_fingerprint()) == {}


@pytest.mark.parametrize("begin", [begin_load, begin_clear])
def test_who_does_not_manage_the_settings_loads_and_clears_nothing(admin, begin):
    seller = organisation.create_user(
        username="seller", name="林芷若", password="correct-horse-battery", team=admin.team, by=None,
        at=timezone.now(), channel=Channel.SYSTEM, roles=(Role.AR, Role.PROCESS_OWNER),
    )  # fmt: skip
    if begin is begin_clear:
        loaded(admin)
    before = db_fingerprint()

    with pytest.raises(NotPermitted):
        begin(**how(seller))
    assert changed(before, db_fingerprint()) == {}


class Killed(BaseException):
    """As sudden as the end of a process: no handler of errors sees it."""


def killing(steps: int) -> Iterator[None]:
    """A clock that kills the job in its `steps`-th transaction."""
    left = [steps]
    real = samples.one_step

    def step(*args: Any, **kwargs: Any) -> None:
        left[0] -= 1
        if not left[0]:
            raise Killed
        real(*args, **kwargs)

    return step  # type: ignore[return-value]


@pytest.mark.parametrize("step", [1, 2, 3, 5, 8])
def test_a_load_that_was_killed_goes_on_and_doubles_nothing(admin, monkeypatch, step):
    begin_load(**how(admin))
    with monkeypatch.context() as patch:
        patch.setattr(sample_loading, "one_step", killing(step))
        with pytest.raises(Killed):
            tasks.work_on_sample_data.call()
    assert sample_data().state == SampleState.LOADING and sample_data().steps_done == step - 1
    assert counts() != WHOLE

    tasks.work_on_sample_data.call()
    assert sample_data().state == SampleState.LOADED and counts() == WHOLE
    assert list(differences()) == []


@pytest.mark.parametrize("step", [1, 2, 4, 7, 9])
def test_a_clearing_that_was_killed_goes_on(admin, monkeypatch, step):
    before = db_fingerprint(with_journal=False)
    loaded(admin)
    begin_clear(**how(admin))
    from fairlead.exchange.services import sample_clearing

    with monkeypatch.context() as patch:
        patch.setattr(sample_clearing, "one_step", killing(step))
        with pytest.raises(Killed):
            tasks.work_on_sample_data.call()
    assert sample_data().state == SampleState.CLEARING and list(differences()) == []

    tasks.work_on_sample_data.call()
    assert sample_data().removed == WHOLE
    assert set(changed(before, db_fingerprint(with_journal=False))) == {"exchange.SampleData"}


def test_a_load_that_fails_can_be_cleared_and_begun_again(admin, monkeypatch):
    begin_load(**how(admin))
    real = sample_loading.place_contacts
    with monkeypatch.context() as patch:
        patch.setattr(sample_loading, "place_contacts", lambda *_a, **_k: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            tasks.work_on_sample_data.call()
    assert sample_data().state == SampleState.STOPPED and real is sample_loading.place_contacts
    with pytest.raises(CannotLoad):
        begin_load(**how(admin))

    cleared(admin)
    assert not any(counts().values())
    assert loaded(admin).state == SampleState.LOADED and counts() == WHOLE


@pytest.mark.parametrize("template", list(ProcessTemplate))
def test_clearing_takes_every_row_that_came(template):
    """All tables but the journal and the row that says so are as they were, to the last column."""
    admin = new_company(template)
    before = db_fingerprint(with_journal=False)
    loaded(admin)
    row = cleared(admin)

    assert (row.state, row.removed, row.kept) == (SampleState.NONE, WHOLE, {})
    assert set(changed(before, db_fingerprint(with_journal=False))) == {"exchange.SampleData"}
    assert list(differences()) == [] and list(index_differences()) == []
    rebuild()
    assert set(changed(before, db_fingerprint(with_journal=False))) == {"exchange.SampleData"}


def test_what_people_did_with_samples_goes_with_them(admin, django_capture_on_commit_callbacks):
    before = db_fingerprint(with_journal=False)
    loaded(admin)
    deal = Opportunity.objects.filter(journey__state="open").order_by("pk").first()
    with django_capture_on_commit_callbacks(execute=True):
        log_activity(
            "opportunity",
            deal.pk,
            kind="call",
            summary="回电",
            outcome="talked",
            done_at=timezone.now(),
            **how(admin),
        )
        add_task("opportunity", deal.pk, title="寄样品", **how(admin))
        add_file("account", deal.account_id, kind="letter", name="函.txt", content=b"abc", **how(admin))
        set_attention("opportunity", deal.pk, "followed", **how(admin))
        set_star("account", deal.account_id, True, **how(admin))
    with django_capture_on_commit_callbacks(execute=True):
        cleared(admin)

    assert set(changed(before, db_fingerprint(with_journal=False))) == {"exchange.SampleData"}
    assert not default_storage.exists("records") or not any(default_storage.listdir("records")[1])


def test_real_records_stay_and_what_they_need_loses_its_badge(admin):
    loaded(admin)
    account, other = Account.objects.order_by("pk")[:2]
    contact = Contact.objects.filter(account=other).order_by("pk").first()
    real = create("opportunity", {"name": "真实商机", "account": account.pk}, **how(admin))
    mine = create("account", {"name": "真实客户", "segment": Segment.objects.first().pk}, **how(admin))
    log_activity(
        "account",
        mine.pk,
        kind="call",
        summary="介绍人",
        outcome="talked",
        contact_ids=[contact.pk],
        done_at=timezone.now(),
        **how(admin),
    )
    won = Opportunity.objects.filter(journey__state="won").exclude(account__in=(account, other)).first()
    create_contract(won.pk, number="HX-1", amount=Decimal(1000), currency="CNY", **how(admin))

    row = cleared(admin)

    assert {kind: sorted(ids) for kind, ids in row.kept.items()} == {
        "opportunity": [won.pk],
        "contact": sorted(
            {contact.pk, *ContactRole.objects.filter(opportunity=won).values_list("contact_id", flat=True)}
        ),
        "account": sorted({account.pk, other.pk, won.account_id}),
        "segment": sorted(set(Account.objects.exclude(segment=None).values_list("segment_id", flat=True))),
    }
    assert set(Opportunity.objects.values_list("pk", "is_sample")) == {(real.pk, False), (won.pk, False)}
    assert not any(model.objects.filter(is_sample=True).exists() for model, _n in KINDS.values())
    assert Activity.objects.filter(subject_type="account", subject_id=mine.pk).exists()
    assert list(differences()) == [] and list(index_differences()) == []
    assert Event.objects.filter(type="sample_kept").count() == sum(len(ids) for ids in row.kept.values())
    with pytest.raises(CannotLoad):  # there are records now
        begin_load(**how(admin))


def test_the_journal_tells_it_and_stays_sealed(admin):
    loaded(admin)
    seal_all(at=timezone.now())
    assert verify().sound
    events = Event.objects.count()
    cleared(admin)
    seal_all(at=timezone.now())

    assert verify().sound and Event.objects.count() > events
    told = list(
        Event.objects.filter(subject_type="sample_data").order_by("pk").values_list("type", "actor_id")
    )
    assert told == [
        (kind, admin.pk)
        for kind in ("sample_load_started", "sample_loaded", "sample_clear_started", "sample_cleared")
    ]
    assert Event.objects.filter(type="sample_removed").count() == sum(WHOLE.values())


def test_it_can_be_loaded_again_after_clearing(admin):
    loaded(admin)
    first = set(Journey.objects.values_list("pk", flat=True))
    cleared(admin)
    loaded(admin)

    assert counts() == WHOLE and not first & set(Journey.objects.values_list("pk", flat=True))
    assert list(differences()) == []
    assert Clock.objects.exists()
