"""Drafts of processes: edited step by step, unfinished as they may be, published when nothing is wrong any more."""

import copy
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import translation

from fairlead.common.refusals import Invalid, NotFound, NotPermitted, Stale
from fairlead.journal.enums import Channel
from fairlead.journal.models import Event
from fairlead.organisation import services as organisation
from fairlead.organisation.models import Organisation, User
from fairlead.process import services
from fairlead.process.editing import edit
from fairlead.process.enums import RequestState, VersionStatus
from fairlead.process.examining import examine
from fairlead.process.models import Process, ProcessDraft, ProcessVersion, PublishRequest
from fairlead.process.refusals import BaseMoved, CannotPublish, DraftExists, SecondPersonNeeded
from fairlead.process.services.drafting import blank, replace_document
from fairlead.process.services.shipping import shipped
from fairlead.process.wording import seller_side
from fairlead.work.models import NotificationEntry

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
KEY = "plain_opportunity"


def person(name, *roles):
    row = organisation.create_user(
        username=name, name=name, password="correct-horse", roles=list(roles), by=None, at=NOON,
        channel=Channel.SYSTEM,
    )  # fmt: skip
    return User.objects.get(pk=row.pk)


@pytest.fixture
def owner():
    Organisation.objects.create(pk=1, name="海纳工业")
    services.publish(shipped(KEY), by=None, at=NOON, channel=Channel.SYSTEM)
    return person("tang", "PROCESS_OWNER")


def how(by, minutes=0):
    return {"by": by, "at": NOON + timedelta(minutes=minutes), "channel": Channel.UI}


def change(who, op, /, **given):
    row = ProcessDraft.objects.get(process__key=KEY)
    return services.edit_draft(KEY, op, given, version=row.version, **how(who))


@pytest.fixture
def draft(owner):
    return services.begin_draft(KEY, **how(owner))


@pytest.mark.rule("VR-1", "PD-1")
def test_a_draft_changes_no_version_and_no_running_deal(owner, draft):
    before = ProcessVersion.objects.values("pk", "document", "status", "checksum").get()

    change(owner, "stage_set", stage="needs", set={"limit": {"yellow": 3, "red": 4}})
    change(owner, "stage_add", name={"zh": "试用", "en": "Trial"}, after="proposal")

    assert ProcessVersion.objects.values("pk", "document", "status", "checksum").get() == before
    stored = ProcessDraft.objects.get()
    assert [s["key"] for s in stored.document["stages"]] == [
        "contact", "needs", "proposal", "trial", "negotiation", "signing",
    ]  # fmt: skip
    assert stored.document["version"] == 2
    types = list(Event.objects.order_by("pk").values_list("type", flat=True))[-3:]
    assert types == ["draft_begun", "draft_edited", "draft_edited"]


def test_one_process_has_one_draft_and_only_a_publisher_begins_it(owner, draft):
    with pytest.raises(DraftExists) as refused:
        services.begin_draft(KEY, **how(owner))
    assert refused.value.details["changed_by"] == owner.pk
    with pytest.raises(NotPermitted):
        services.begin_draft(KEY, **how(person("zhou", "AR")))


@pytest.mark.rule("MV-11")
def test_who_edits_what_somebody_else_changed_is_told_who_and_changes_nothing(owner, draft):
    other = person("luo", "ADMIN")
    change(other, "stage_set", stage="needs", set={"goal": {"zh": "弄清需求", "en": "Know the need"}})
    before = ProcessDraft.objects.get().document

    with pytest.raises(Stale) as refused:
        services.edit_draft(KEY, "stage_remove", {"stage": "needs"}, version=draft.version, **how(owner, 1))

    assert "luo" in str(refused.value)
    assert refused.value.details["changed_by"] == other.pk
    assert ProcessDraft.objects.get().document == before


@pytest.mark.rule("PD-2")
def test_a_linear_process_follows_its_stages_when_they_are_put_in_another_order(owner, draft):
    change(owner, "stage_move", stage="proposal", by=-1)
    found = examine(ProcessDraft.objects.get().document)

    order = [s.key for s in found.definition.stages]
    assert order == ["contact", "proposal", "needs", "negotiation", "signing"]
    assert [found.definition.next_stage(key).key for key in order[:-1]] == order[1:]

    change(owner, "stage_remove", stage="needs")
    found = examine(ProcessDraft.objects.get().document)
    assert found.definition.next_stage("proposal").key == "negotiation"
    assert not found.errors


@pytest.mark.rule("GT-1", "GT-9")
def test_criteria_of_every_type_are_added_changed_ordered_and_removed(owner, draft):
    name = {"zh": "检查项", "en": "An item"}
    types = [
        {"type": "field", "field": "amount", "op": "gte", "value": 1000},
        {"type": "activity", "kinds": ["visit"], "min": 2, "within_days": 30},
        {"type": "document", "kind": "minutes", "by": "customer"},
        {"type": "relation", "roles": ["EB", "TB"], "min": 1},
        {"type": "attestation", "role": "MGR"},
        {"type": "external", "fact": "tender_published"},
        {"type": "child", "tasks": "preparation"},
        {"type": "elapsed", "min_days": 3},
        {"type": "group", "mode": "any", "criteria": [
            {"key": "inner", "name": name, "type": "document", "kind": "letter"}]},
    ]  # fmt: skip
    only = {"field": "is_tender", "op": "eq", "value": True}
    keys = []
    for body in types:
        row, path = change(
            owner, "criterion_add", stage="needs", side="exit",
            criterion={"name": name, "level": "flag", "applies_if": only, **body},
        )  # fmt: skip
        keys.append(path.rpartition(".")[2])
    assert len(set(keys)) == len(types)
    assert not examine(row.document).errors

    change(owner, "criterion_move", criterion_key=keys[0], to=0)
    change(owner, "criterion_remove", criterion_key=keys[3])
    change(
        owner, "criterion_set", criterion_key=keys[1],
        criterion={"name": name, "type": "activity", "level": "block", "min": 3},
    )  # fmt: skip
    exits = examine(ProcessDraft.objects.get().document).definition.stage("needs").exit
    assert exits[0].key == keys[0]
    assert keys[3] not in [c.key for c in exits]
    changed = next(c for c in exits if c.key == keys[1])
    assert (changed.level, changed.params["min"], changed.applies_if) == ("block", 3, None)


def test_an_edit_that_cannot_be_read_is_refused_at_its_field_and_changes_nothing(owner, draft):
    for op, given, field in (
        ("criterion_add", {"stage": "needs", "criterion": {"name": {"zh": "一", "en": "One"}, "type": "field",
                                                           "field": "no_such"}}, "field"),
        ("criterion_add", {"stage": "needs", "criterion": {"name": {"zh": "一"}, "type": "child", "tasks": "t"}}, "name"),
        ("stage_set", {"stage": "needs", "set": {"probability": {"min": 300}}}, "probability.min"),
        ("stage_add", {"name": {"zh": "只有中文"}}, "name"),
        ("field_add", {"field": {"type": "choice", "label": {"zh": "字段", "en": "A field"}}}, "options"),
        ("reason_add", {"list": "lost", "reason": {"name": {"zh": "别的", "en": "Other"}}}, "outcome"),
        ("transition_add", {"stage": "needs", "transition": {"type": "branch", "to": "proposal",
                                                             "when": {"field": "x", "op": "present"}}}, "when.field"),
        ("stage_set", {"stage": "nowhere", "set": {"goal": {}}}, "stage"),
        ("process_set", {"set": {"version": 9}}, "version"),
    ):  # fmt: skip
        with pytest.raises(Invalid) as refused:
            change(owner, op, **given)
        assert field in [e["field"] for e in refused.value.details["errors"]], (op, refused.value.details)
    assert ProcessDraft.objects.get().version == draft.version


def faulty(document, what):
    """A draft with one of the six faults, and where it is mended."""
    broken = copy.deepcopy(document)
    by_key = {s["key"]: s for s in broken["stages"]}
    if what == "unreachable":
        broken["stages"].insert(2, {"key": "lonely", "name": {"zh": "孤段", "en": "Lonely"}, "start": False})
        return broken, ("moves", "lonely")
    if what == "no_way_out":
        broken["linear"] = False
        for i, stage in enumerate(broken["stages"]):
            back = [{"type": "regress", "to": s["key"], "reasons": "regress"} for s in broken["stages"][:i]]
            on = stage.get("transitions", []) if stage["key"] != "signing" else []
            stage["transitions"] = [*on, *back, {"type": "close_lost", "reasons": "lost"}]
        return broken, ("moves", "signing")
    if what == "no_lost_path":
        broken["lists"]["lost"] = []
        return broken, ("reasons", "")
    if what == "no_else":
        by_key["needs"]["transitions"] = [
            {"type": "branch", "to": "proposal", "when": {"field": "is_tender", "op": "eq", "value": True}}
        ]
        return broken, ("moves", "needs")
    if what == "missing_field":
        next(c for c in by_key["needs"]["exit"] if c["key"] == "budget_band")["field"] = "deleted_since"
        return broken, ("exit", "needs")
    by_key["proposal"].setdefault("exit", []).append(
        {"key": "nobody", "name": {"zh": "评审", "en": "Review"}, "type": "attestation", "role": "KING"}
    )
    return broken, ("exit", "proposal")


@pytest.mark.rule("AC-12", "PD-3")
@pytest.mark.parametrize(
    "what", ["unreachable", "no_way_out", "no_lost_path", "no_else", "missing_field", "missing_role"]
)
def test_a_faulty_draft_is_kept_and_listed_and_not_published(owner, draft, what):
    document, (part, stage) = faulty(draft.document, what)

    row = replace_document(KEY, document, version=draft.version, **how(owner))
    with pytest.raises(CannotPublish) as refused:
        services.publish_draft(KEY, version=row.version, **how(owner, 1))

    places = [(p["place"]["part"], p["place"]["stage"]) for p in refused.value.details["problems"]]
    assert (part, stage) in places
    assert ProcessDraft.objects.get().document["stages"] == document["stages"]
    assert ProcessVersion.objects.get().status == VersionStatus.PUBLISHED


@pytest.mark.rule("PD-5")
def test_what_is_too_much_is_a_warning(owner, draft):
    document = copy.deepcopy(draft.document)
    stage = document["stages"][1]
    for i in range(8):
        document["fields"].append({"key": f"more_{i}", "type": "text", "label": {"zh": "多", "en": "More"}})
        stage["exit"].append(
            {
                "key": f"more_{i}",
                "type": "field",
                "field": f"more_{i}",
                "name": {"zh": "客户确认", "en": "Customer agreed"},
            }
        )
    for i in range(4):
        document["stages"].append({"key": f"late_{i}", "name": {"zh": "尾段", "en": "Late"}})
    found = examine(document)

    assert not found.errors
    places = {(w.place.part, w.place.stage) for w in found.warnings}
    assert {("stages", ""), ("moves", "needs"), ("fields", "")} <= places


@pytest.mark.rule("GT-6")
@pytest.mark.parametrize(
    ("zh", "en", "kind"),
    [
        ("已发送报价", "Quote sent", "quote"),
        ("向客户发送报价", "Sent quote", "quote"),
        ("已演示", "Demo done", "demo"),
        ("完成产品演示", "Product presented", "demo"),
        ("已拜访客户", "Visited the customer", "visit"),
        ("已提交方案", "Proposal submitted", "solution"),
        ("客户确认收到报价并反馈", "Customer confirmed the quote", None),
        ("客户参加演示并说出结论", "Customer attended the demo", None),
        ("决策人同意时间表", "Decision maker agreed to the plan", None),
        ("金额已填", "Amount filled in", None),
    ],
)
def test_words_that_tell_only_of_us_get_a_twin_that_asks_the_buyer(zh, en, kind):
    twin = seller_side({"zh": zh, "en": en})

    assert (twin.kind if twin else None) == kind
    if twin:
        assert seller_side(twin.name) is None


@pytest.mark.rule("GT-6")
def test_the_shipped_processes_ask_for_acts_of_the_buyer(owner, draft):
    said = [w.message for w in examine(draft.document).warnings if w.twin]
    assert said == []
    change(
        owner, "criterion_add", stage="proposal",
        criterion={"name": {"zh": "已发送报价", "en": "Quote sent"}, "type": "document", "kind": "quote"},
    )  # fmt: skip
    with translation.override("zh-hans"):
        (warning,) = (w for w in examine(ProcessDraft.objects.get().document).warnings if w.twin)
    assert (warning.place.part, warning.place.stage) == ("exit", "proposal")
    assert warning.twin["zh"] == "客户确认收到报价并给出反馈"


@pytest.mark.rule("VR-1")
def test_publishing_makes_the_next_version_and_ends_the_draft(owner, draft):
    row, _path = change(owner, "stage_set", stage="needs", set={"limit": {"yellow": 3, "red": 4}})

    published = services.publish_draft(KEY, version=row.version, **how(owner, 1))

    assert (published.number, published.status) == (2, VersionStatus.PUBLISHED)
    assert not ProcessDraft.objects.exists()
    assert ProcessVersion.objects.get(number=1).status == VersionStatus.RETIRED


def test_a_draft_begun_from_an_older_version_does_not_undo_a_newer_one(owner, draft):
    services.publish(
        {**shipped(KEY), "version": 2, "reopen_days": 30}, by=None, at=NOON, channel=Channel.SYSTEM
    )

    with pytest.raises(BaseMoved):
        services.publish_draft(KEY, version=draft.version, **how(owner, 1))
    row = services.rebase_draft(KEY, version=draft.version, **how(owner, 2))

    assert (row.base.number, row.document["version"]) == (2, 3)
    assert services.publish_draft(KEY, version=row.version, **how(owner, 3)).number == 3


def test_a_new_process_begins_empty_or_as_a_copy_and_goes_when_it_is_given_up(owner):
    name = {"zh": "渠道商机", "en": "Channel deals"}
    fresh = services.begin_process(blank("channel_deals", "opportunity", name), **how(owner))
    assert fresh.base is None
    assert [p.path for p in examine(fresh.document).errors][:1] == ["stages"]
    services.discard_draft("channel_deals", version=1, **how(owner))
    assert not Process.objects.filter(key="channel_deals").exists()

    copied = services.begin_process(shipped("ltc_opportunity"), key="channel_deals", name=name, **how(owner))
    assert (copied.document["process"], copied.document["version"]) == ("channel_deals", 1)
    assert services.publish_draft("channel_deals", version=1, **how(owner)).number == 1
    with pytest.raises(Invalid):
        services.begin_process(shipped("ltc_opportunity"), key=KEY, name=name, **how(owner))


@pytest.mark.rule("OV-5")
def test_where_a_second_person_is_asked_for_nobody_publishes_what_they_wrote(
    owner, draft, django_capture_on_commit_callbacks
):
    Organisation.objects.update(publish_needs_second=True)
    with pytest.raises(SecondPersonNeeded):
        services.publish_draft(KEY, version=draft.version, **how(owner))
    with pytest.raises(SecondPersonNeeded):
        services.publish({**shipped(KEY), "version": 2}, **how(owner))
    with pytest.raises(SecondPersonNeeded) as alone:
        services.ask_to_publish(KEY, version=draft.version, **how(owner))
    assert alone.value.details["people"] == []

    second, writer = person("luo", "ADMIN"), person("gao", "PROCESS_OWNER")
    row, _path = change(writer, "stage_set", stage="needs", set={"limit": {"yellow": 3, "red": 4}})
    with django_capture_on_commit_callbacks(execute=True):
        services.ask_to_publish(KEY, comment="请看", version=row.version, **how(owner))
    for by in (owner, writer):
        with pytest.raises(NotPermitted):
            services.decide_publishing(KEY, grant=True, **how(by, 1))
    with pytest.raises(Invalid):
        services.decide_publishing(KEY, grant=False, **how(second, 1))
    services.decide_publishing(KEY, grant=False, answer="时限太短", **how(second, 2))
    assert PublishRequest.objects.get().state == RequestState.REFUSED

    services.ask_to_publish(KEY, version=row.version, **how(owner, 3))
    row, _path = change(owner, "stage_set", stage="needs", set={"limit": {"yellow": 5, "red": 9}})
    with pytest.raises(NotFound):  # what was asked for is not what stands there now
        services.decide_publishing(KEY, grant=True, **how(second, 4))
    services.ask_to_publish(KEY, version=row.version, **how(owner, 5))
    published = services.decide_publishing(KEY, grant=True, **how(second, 6))

    assert (published.number, published.published_by_id) == (2, second.pk)
    assert [r.state for r in PublishRequest.objects.order_by("pk")] == ["refused", "lapsed", "granted"]
    types = set(Event.objects.values_list("type", flat=True))
    assert {"publish_asked", "publish_refused", "publish_granted", "process_published"} <= types


def test_an_edit_of_nothing_and_an_unknown_edit(owner, draft):
    with pytest.raises(Invalid):
        edit(draft.document, "stage_paint", {})
    row, _path = change(owner, "stage_move", stage="contact", by=-1)
    assert row.version == draft.version


@pytest.mark.rule("AC-12")
def test_the_api_edits_examines_and_publishes(client, owner):
    client.force_login(owner, backend="fairlead.organisation.backends.PasswordBackend")

    def send(method, path, body=None, version=None):
        more = {"HTTP_IF_MATCH": f'"{version}"'} if version else {}
        return getattr(client, method)(
            f"/api/v1/processes/{KEY}{path}", body, content_type="application/json", **more
        )

    assert send("post", "/draft", {}).status_code == 201
    assert send("post", "/draft/edits", {"op": "stage_remove", "stage": "needs"}).status_code == 428
    tender = {"type": "branch", "to": "proposal", "when": {"field": "is_tender", "op": "eq", "value": True}}
    answer = send("post", "/draft/edits", {"op": "transition_add", "stage": "needs", "transition": tender}, 1)
    assert answer.status_code == 200
    (error,) = (f for f in answer.json()["findings"] if f["level"] == "error")
    assert (error["part"], error["stage"]) == ("moves", "needs")
    refused = send("post", "/draft/publish", None, 2)
    assert (refused.status_code, refused.json()["code"]) == (422, "cannot-publish")
    other = {"op": "transition_add", "stage": "needs", "transition": {"type": "branch", "to": "negotiation"}}
    assert send("post", "/draft/edits", other, 1).status_code == 412
    mended = send("post", "/draft/edits", other, 2)
    assert [f for f in mended.json()["findings"] if f["level"] == "error"] == []
    assert {"added", "removed"} == {c["sign"] for c in mended.json()["changes"]}
    published = send("post", "/draft/publish", None, 3)
    assert (published.status_code, published.json()["number"]) == (200, 2)
    assert send("get", "/draft").status_code == 404
    assert NotificationEntry.objects.count() == 0
