"""Where a field is used, and changes that would break it: refused with the reason, by every door."""

import re
from html import unescape
from types import SimpleNamespace

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.translation import override
from tests.factories.crm import Company, company

from fairlead.common.refusals import Invalid, NotPermitted, Stale
from fairlead.crm.models import SavedView
from fairlead.fields import uses
from fairlead.fields.catalogue import catalogue
from fairlead.fields.models import CustomField
from fairlead.fields.services import add_field, change_field, place_field
from fairlead.journal.models import Event, EventDetail

RAIL = [
    {"value": "metro", "label": {"zh": "地铁", "en": "Metro"}},
    {"value": "tram", "label": {"zh": "有轨电车", "en": "Tram"}},
]


@pytest.fixture
def where(db: None, settings) -> Company:
    settings.ALLOWED_HOSTS = ["testserver"]
    return company(language="en")


@pytest.fixture
def admin(where) -> Client:
    client = Client()
    client.force_login(where.admin)
    return client


def add(where, key="rail", type="choice", **more):
    given = {"subject_type": "opportunity", "key": key, "type": type, "label": {"en": key.title()}}
    options = {"options": RAIL} if type in ("choice", "multi_choice") else {}
    return add_field(**given, **options, **more, **where.how(where.admin))


def change(where, row, **more):
    row.refresh_from_db()
    return change_field(row.pk, version=row.version, **more, **where.how(where.admin))


@pytest.mark.rule("FLD-2")
def test_a_field_of_a_published_process_is_not_retired(where):
    declared = CustomField.objects.filter(subject_type="opportunity").exclude(declared_by="").first()
    with override("en"), pytest.raises(Invalid, match="brings this field along"):
        change(where, declared, retired=True)
    declared.refresh_from_db()
    assert declared.retired_at is None and declared.key in catalogue("opportunity")


@pytest.mark.rule("FLD-2")
def test_a_field_that_a_gate_reads_is_not_retired_and_names_the_process(where):
    from copy import deepcopy

    from fairlead.process import services as process

    row = add(where, "line_stop", "date")
    document = deepcopy(where.version.document)
    document["version"] += 1
    stage = document["stages"][1]
    stage["exit"] = [*stage.get("exit", []), {
        "key": "stop_known", "name": {"zh": "停机日已知", "en": "Day of the stop known"}, "type": "field",
        "level": "block", "field": "line_stop", "op": "present",
    }]  # fmt: skip
    process.publish(document, **where.how(where.admin))
    with override("en"):
        used = uses.uses_of("opportunity", where.admin)["line_stop"]
        assert [use.kind for use in used] == ["gate"] and "Day of the stop known" in used[0].label
        with pytest.raises(Invalid, match="reads it"):
            change(where, row, retired=True)
    row.refresh_from_db()
    assert row.retired_at is None


@pytest.mark.rule("FLD-2")
@pytest.mark.parametrize("type_", ["choice", "multi_choice"])
def test_a_choice_that_records_hold_is_not_removed_but_can_be_offered_no_more(where, type_):
    row = add(where, type=type_)
    deal = where.deal()
    where.edit(deal, rail="metro" if type_ == "choice" else ["metro"])
    with override("en"), pytest.raises(Invalid, match="“Metro” stands in 1 record"):
        change(where, row, options=RAIL[1:])
    change(where, row, options=RAIL[:1])  # nobody holds a tram
    change(where, row, options=[{**RAIL[0], "retired": True}, RAIL[1]])
    spec = catalogue("opportunity")["rail"]
    assert [o.value for o in spec.offered()] == ["tram"]
    assert [o.value for o in spec.offered({"metro"})] == ["metro", "tram"]
    assert spec.option("metro").label == {"zh": "地铁", "en": "Metro"}


def test_the_order_of_fields_is_that_of_the_catalogue(where):
    keys = ["one", "two", "three"]
    rows = {key: add(where, key, "text") for key in keys}

    def order():
        return [spec.key for spec in catalogue("opportunity").custom() if spec.key in keys]

    assert order() == keys
    place_field(rows["three"].pk, position=0, version=1, **where.how(where.admin))
    assert order() == ["three", "one", "two"]
    rows["three"].refresh_from_db()
    assert rows["three"].version == 2
    with pytest.raises(Stale):
        place_field(rows["three"].pk, position=1, version=1, **where.how(where.admin))
    with pytest.raises(NotPermitted):
        place_field(rows["three"].pk, position=1, version=2, **where.how(where.zhou))
    before = Event.objects.count()
    place_field(rows["three"].pk, position=0, version=2, **where.how(where.admin))
    assert Event.objects.count() == before  # it stands there


def test_a_change_is_kept_with_what_changed_and_nothing_else(where):
    row = add(where, "motive", "text")
    change(where, row, help={"zh": "写原话", "en": "Their words"}, read_right="margin.view")
    event = Event.objects.filter(type="field_changed", subject_id=row.pk).get()
    payload = EventDetail.objects.get(event=event).payload
    assert payload["after"] == {"help": {"zh": "写原话", "en": "Their words"}, "read_right": "margin.view"}
    assert payload["before"] == {"help": {}, "read_right": ""}
    with pytest.raises(Invalid):
        change(where, row, read_right="users.manage")
    with pytest.raises(TypeError):
        change(where, row, type="date")


@pytest.mark.rule("T04")
def test_a_field_that_is_kept_to_some_is_not_there_for_others(where):
    add(where, "floor_price", "money", read_right="margin.view")
    marketer = SimpleNamespace(may=lambda right: right != "margin.view")
    assert "floor_price" not in [spec.key for spec in catalogue("opportunity").readable_by(marketer)]
    assert "floor_price" in [spec.key for spec in catalogue("opportunity").readable_by(where.admin)]


@pytest.mark.rule("T05")
def test_views_of_others_are_counted_and_not_named(where):
    now = where.how(where.zhou)["at"]
    tree = {"any": [{"not": {"field": "competitor", "op": "present"}}]}
    common = {"kind": "opportunity", "owner": where.zhou, "created_at": now, "updated_at": now}
    SavedView.objects.create(name="Mine alone", tree=tree, **common)
    SavedView.objects.create(name="For all", sort="-amount", cols="competitor", is_shared=True, **common)
    with override("en"):
        used = uses.uses_of("opportunity", where.admin)
        assert {use.label for use in used["competitor"] if use.kind == "view"} == {
            "For all", "1 view of its owner",
        }  # fmt: skip
        assert "For all" in {use.label for use in used["amount"]}


def test_the_pages_say_source_masks_and_uses(where, admin):
    add(where, "rail")
    text = unescape(admin.get(reverse("web:fields")).content.decode())
    row = re.search(r'id="f-margin">(.*?)</tr>', text, re.S).group(1)
    assert "See margins" in row and "built in" in row
    assert "By hand" in re.search(r'id="f-rail">(.*?)</tr>', text, re.S).group(1)
    page = unescape(admin.get(reverse("web:field", args=["opportunity", "discount"])).content.decode())
    assert "checklist item of a gate" in page and "gate item" in page
    assert admin.get(reverse("web:field", args=["opportunity", "nothing"])).status_code == 404
    assert admin.get(reverse("web:field", args=["spaceship", "name"])).status_code == 404


def test_a_preview_shows_the_form_and_stores_nothing(where, admin):
    before = CustomField.objects.count()
    values = {
        "subject_type": "opportunity", "type": "choice", "label_en": "Rail", "key": "rail", "preview": "1",
        "options": "metro | 地铁 | Metro\n---\ntram | 有轨电车 | Tram", "help_en": "What runs there",
    }  # fmt: skip
    text = unescape(admin.post(reverse("web:new_field"), values).content.decode())
    form = text.split('id="h-preview"')[1]
    assert "Metro" in form and "What runs there" in form and "Tram" not in form.split("</section>")[0]
    assert CustomField.objects.count() == before
    del values["preview"]
    assert admin.post(reverse("web:new_field"), values).status_code == 302
    row = CustomField.objects.get(key="rail")
    assert row.options[1] == {"value": "tram", "label": {"zh": "有轨电车", "en": "Tram"}, "retired": True}
    assert admin.get(reverse("web:edit_field", args=[row.pk])).content.decode().count("---") >= 1


def test_a_refused_retirement_says_why_on_the_page(where, admin):
    row = CustomField.objects.filter(subject_type="opportunity").exclude(declared_by="").first()
    answer = admin.post(reverse("web:retire_field", args=[row.pk]), {"retired": "1", "version": row.version})
    assert answer.status_code == 422 and "brings this field along" in answer.content.decode()


def test_up_and_down_by_page(where, admin):
    one, two = add(where, "one", "text"), add(where, "two", "text")
    url = reverse("web:place_field", args=[two.pk])
    assert admin.post(url, {"to": "up", "version": two.version}).status_code == 302
    order = [spec.key for spec in catalogue("opportunity").custom()]
    assert order.index("two") == order.index("one") - 1
    assert admin.post(url, {"to": "sideways", "version": 2}).status_code == 422
    assert one.pk != two.pk
