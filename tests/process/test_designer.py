"""The page of the designer: every edit is a form that works without a script and comes back with what was typed."""

import copy
import re
from datetime import UTC, datetime

import pytest

from fairlead.journal.enums import Channel
from fairlead.organisation import services as organisation
from fairlead.organisation.models import Organisation, User
from fairlead.process import services
from fairlead.process.examining import examine
from fairlead.process.models import Process, ProcessDraft, ProcessVersion
from fairlead.process.services.drafting import replace_document
from fairlead.process.services.shipping import shipped

from .test_drafts import faulty

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
KEY = "plain_opportunity"
DRAFT = f"/processes/{KEY}/draft/"


@pytest.fixture
def tang(client):
    Organisation.objects.create(pk=1, name="海纳工业")
    services.publish(shipped(KEY), by=None, at=NOON, channel=Channel.SYSTEM)
    row = organisation.create_user(
        username="tang", name="唐宁", password="correct-horse", roles=["PROCESS_OWNER"], by=None, at=NOON,
        channel=Channel.SYSTEM,
    )  # fmt: skip
    User.objects.filter(pk=row.pk).update(language="en")
    user = User.objects.get(pk=row.pk)
    client.force_login(user, backend="fairlead.organisation.backends.PasswordBackend")
    client.post(f"{DRAFT}begin")
    return user


def send(client, op, **values):
    draft = ProcessDraft.objects.get(process__key=KEY)
    return client.post(f"{DRAFT}edit", {"op": op, "version": draft.version, **values})


def read(**values):
    """The plain parts of a sentence about a criterion."""
    return {
        "level": "block",
        "role": "",
        "waivable": "1",
        "name-zh": "客户确认",
        "name-en": "Customer agreed",
    } | values


def leaf(prefix, number, field, op, value=""):
    return {f"{prefix}-{number}-field": field, f"{prefix}-{number}-op": op, f"{prefix}-{number}-value": value}


def conditions(prefix, *leaves, mode="all"):
    found = {f"{prefix}-mode": mode}
    for i in range(1, 4):
        found |= leaf(prefix, i, *(leaves[i - 1] if i <= len(leaves) else ("", "present")))
    return found


@pytest.mark.rule("PD-1", "GT-9")
@pytest.mark.parametrize(
    ("type_", "said", "stored"),
    [
        ("field", conditions("condition", ("amount", "gte", "1,000,000")), {"field": "amount", "op": "gte", "value": 1000000}),
        ("field", conditions("condition", ("amount", "present"), ("is_tender", "eq", "yes"), mode="any"),
         {"condition": {"any": [{"field": "amount", "op": "present"}, {"field": "is_tender", "op": "eq", "value": True}]}}),
        ("activity", {"min": "2", "kinds": ["visit"], "within_days": "30"}, {"min": 2, "kinds": ["visit"], "within_days": 30}),
        ("document", {"kind": "minutes", "by": "customer", "signed": "1"}, {"kind": "minutes", "by": "customer", "signed": True}),
        ("relation", {"roles": ["EB", "TB"], "depth_min": "2"}, {"roles": ["EB", "TB"], "depth_min": 2}),
        ("attestation", {"role": "MGR", "statement-zh": "可交付", "statement-en": "Can be done"},
         {"role": "MGR", "statement": {"zh": "可交付", "en": "Can be done"}}),
        ("external", {"fact": "tender_published"}, {"fact": "tender_published"}),
        ("child", {"tasks": "preparation", "min": "3"}, {"tasks": "preparation", "min": 3}),
        ("elapsed", {"min_days": "5", "before": ""}, {"min_days": 5}),
    ],
)  # fmt: skip
def test_each_type_of_criterion_is_built_as_a_sentence_and_said_back_in_both_languages(
    client, tang, type_, said, stored
):
    only = conditions("applies_if", ("amount", "gt", "500000"))
    answer = send(
        client, "criterion_add", stage="needs", part="exit", side="exit", asks=type_, **read(**(only | said))
    )

    assert answer.status_code == 302, answer.content.decode()[:3000]
    item = ProcessDraft.objects.get().document["stages"][1]["exit"][-1]
    assert {k: item[k] for k in stored} == stored
    assert item["applies_if"] == {"field": "amount", "op": "gt", "value": 500000}
    page = client.get(answer["Location"]).content.decode()
    row = page[page.index(f'id="item-{item["key"]}"') :][:2500]
    assert "If Amount &gt; 500,000" in row
    assert "如果" in row
    again = client.get(f"{DRAFT}?stage=needs&part=exit&item={item['key']}").content.decode()
    values = dict(re.findall(r'<input[^>]*name="([^"]+)"[^>]*value="([^"]*)"', again))
    assert values["name-en"] == "Customer agreed"


def test_a_refused_sentence_keeps_what_was_typed_and_says_what_is_wrong_beside_it(client, tang):
    given = conditions("condition", ("amount", "gte", "a lot")) | conditions("applies_if")
    answer = send(
        client, "criterion_add", stage="needs", part="exit", side="exit", asks="field", **read(**given)
    )
    page = answer.content.decode()

    assert answer.status_code == 422
    assert 'value="a lot"' in page
    assert 'href="#f-condition-1-value"' in page, re.findall(r"fl-errsum.{0,600}", page, re.S)
    assert 'value="Customer agreed"' in page
    assert ProcessDraft.objects.get().version == 1


@pytest.mark.rule("PD-2")
def test_stages_moves_limits_roles_and_reasons_are_set_by_forms(client, tang):
    for op, values in (
        ("stage_add", {"part": "stages", "name-zh": "试用", "name-en": "Trial", "after": "proposal"}),
        ("stage_set", {"stage": "trial", "part": "limits", "limit-yellow": "5", "limit-red": "8", "wip_limit": ""}),
        ("stage_set", {"stage": "trial", "part": "goal", "name-zh": "试用", "name-en": "Trial run", "goal-zh": "客户试用",
                       "goal-en": "Customer tries", "roles-accountable": "SR", "roles-required": ["FR", "AR"]}),
        ("stage_set", {"stage": "trial", "part": "forecast", "probability-default": "55", "probability-min": "40",
                       "probability-max": "70", "forecast": "best_case", "show_in_funnel": "1"}),
        ("stage_set", {"stage": "trial", "part": "guidance", "why-zh": "先试", "why-en": "Try first",
                       "guidance-zh": "一\n二", "guidance-en": "One\nTwo"}),
        ("transition_add", {"stage": "needs", "part": "moves", "type": "branch", "to": "proposal", "reasons": "",
                            **conditions("when", ("is_tender", "eq", "yes"))}),
        ("transition_add", {"stage": "needs", "part": "moves", "type": "branch", "to": "trial", "reasons": "",
                            **conditions("when")}),
        ("reason_add", {"part": "reasons", "list": "lost", "name-zh": "太晚", "name-en": "Too late", "outcome": "lost"}),
        ("field_add", {"part": "fields", "type": "choice", "label-zh": "试用方式", "label-en": "Way of trial",
                       "options": "site | 现场 | On site\nlab | 实验室 | Laboratory", "unit": ""}),
        ("process_set", {"part": "process", "name-zh": "商机", "name-en": "Deals", "reopen_days": "60"}),
    ):  # fmt: skip
        answer = send(client, op, **values)
        assert answer.status_code == 302, (op, answer.content.decode()[:4000])
    found = examine(ProcessDraft.objects.get().document)

    assert not found.errors
    trial = found.definition.stage("trial")
    assert (trial.limit_yellow, trial.limit_red, trial.probability, trial.forecast) == (
        5,
        8,
        (40, 55, 70),
        "best_case",
    )
    assert trial.roles == {"accountable": ("SR",), "required": ("FR", "AR")}
    assert [dict(g) for g in trial.guidance] == [{"zh": "一", "en": "One"}, {"zh": "二", "en": "Two"}]
    branches = [t for t in found.definition.stage("needs").transitions if t.kind == "branch"]
    assert [(t.to, t.when is not None) for t in branches] == [("proposal", True), ("trial", False)]
    page = client.get(DRAFT).content.decode()
    for words in ("Stage Trial run", "was called Plain opportunity", "Field “Way of trial”", "Too late"):
        assert words in page, words


@pytest.mark.rule("AC-12", "PD-3")
@pytest.mark.parametrize(
    "what", ["unreachable", "no_way_out", "no_lost_path", "no_else", "missing_field", "missing_role"]
)
def test_publishing_a_faulty_draft_is_refused_with_a_link_to_the_place(client, tang, what):
    draft = ProcessDraft.objects.get()
    document, (part, stage) = faulty(copy.deepcopy(draft.document), what)
    replace_document(KEY, document, version=1, by=tang, at=NOON, channel=Channel.UI)

    page = client.get(DRAFT).content.decode()
    answer = client.post(f"{DRAFT}act", {"act": "publish", "version": 2})

    where = f"stage={stage}&amp;part={part}" if stage else f"?part={part}"
    assert re.search(rf'class="fl-link" href="{DRAFT}[^"]*{re.escape(where)}', page), what
    assert answer.status_code == 422
    assert "cannot be published" in answer.content.decode()
    assert ProcessVersion.objects.count() == 1
    link = re.search(rf'href="({DRAFT}[^"]*{re.escape(where)}[^"#]*)', page)[1].replace("&amp;", "&")
    assert client.get(link).status_code == 200


@pytest.mark.rule("GT-6")
def test_the_words_of_a_twin_are_taken_with_one_click(client, tang):
    said = {"kind": "quote", "by": "", "name-zh": "已发送报价", "name-en": "Quote sent"} | conditions(
        "applies_if"
    )
    send(client, "criterion_add", stage="proposal", part="exit", side="exit", asks="document", **read(**said))
    page = client.get(DRAFT).content.decode()
    assert "Use these words" in page
    key = ProcessDraft.objects.get().document["stages"][2]["exit"][-1]["key"]

    client.post(f"{DRAFT}act", {"act": "reword", "item": key, "version": 2})

    assert (
        ProcessDraft.objects.get().document["stages"][2]["exit"][-1]["name"]["zh"]
        == "客户确认收到报价并给出反馈"
    )


def test_a_stale_form_says_who_was_quicker_and_shows_the_draft_as_it_is(client, tang):
    send(client, "stage_move", stage="proposal", part="stages", by="-1")

    answer = client.post(f"{DRAFT}edit", {"op": "stage_move", "stage": "needs", "by": "1", "version": 1})

    assert answer.status_code == 409
    assert "唐宁 changed this draft meanwhile" in answer.content.decode()
    assert ProcessDraft.objects.get().version == 2


def test_publishing_ends_at_the_process_and_discarding_keeps_the_version(client, tang):
    send(
        client,
        "stage_set",
        stage="needs",
        part="limits",
        **{"limit-yellow": "5", "limit-red": "8", "wip_limit": ""},
    )
    answer = client.post(f"{DRAFT}act", {"act": "publish", "version": 2})
    assert answer["Location"] == f"/processes/{KEY}/"
    assert ProcessVersion.objects.filter(status="published").get().number == 2

    client.post(f"{DRAFT}begin")
    client.post(f"{DRAFT}act", {"act": "discard", "version": 1})
    assert not ProcessDraft.objects.exists()
    assert client.get(DRAFT).status_code == 404


def test_a_new_process_is_begun_from_nothing_from_a_copy_and_from_a_file(client, tang):
    base = {"subject": "opportunity", "zh": "渠道", "en": "Channel"}
    assert client.post("/processes/new/", base | {"template": "blank", "key": ""}).status_code == 422
    answer = client.post("/processes/new/", base | {"template": "blank", "key": "channel"})
    assert answer["Location"] == "/processes/channel/draft/"
    page = client.get("/processes/channel/draft/").content.decode()
    assert "No stage yet" in page
    answer = client.post("/processes/new/", base | {"template": "ltc_opportunity", "key": "ltc_two"})
    assert answer["Location"] == "/processes/ltc_two/draft/"
    yaml = client.get("/processes/ltc_two/draft/document.yaml")
    assert "process: ltc_two" in yaml.content.decode()
    assert Process.objects.get(key="ltc_two").name == {"zh": "渠道", "en": "Channel"}


@pytest.mark.parametrize("role", ["AR", "MGR", "AUDITOR"])
def test_only_who_may_publish_sees_drafts(client, tang, role):
    row = organisation.create_user(
        username="other",
        name="别人",
        password="correct-horse",
        roles=[role],
        by=None,
        at=NOON,
        channel=Channel.SYSTEM,
    )
    client.force_login(User.objects.get(pk=row.pk), backend="fairlead.organisation.backends.PasswordBackend")

    assert client.get(DRAFT).status_code == 403
    assert (
        client.post(f"{DRAFT}edit", {"op": "stage_remove", "stage": "needs", "version": 1}).status_code == 403
    )
    assert DRAFT not in client.get("/processes/").content.decode()
    assert ProcessDraft.objects.get().version == 1


@pytest.mark.rule("PD-1")
def test_a_draft_that_nobody_has_touched_is_not_said_to_differ_in_words(client, tang):
    page = client.get(DRAFT).content.decode()
    assert "Nothing differs so far." in page and "Nothing but words differs" not in page

    document = copy.deepcopy(ProcessDraft.objects.get().document)
    document["stages"][0]["goal"] = {"zh": "换个说法", "en": "Said otherwise"}
    replace_document(KEY, document, version=1, by=tang, at=NOON, channel=Channel.UI)
    said = client.get(DRAFT).content.decode()
    assert "Nothing differs so far." not in said and "Nothing but words differs so far." in said
