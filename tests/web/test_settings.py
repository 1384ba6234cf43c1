"""Settings pages: fields, company, calendar."""

import re
from html import unescape
from pathlib import Path

import pytest
from django.urls import reverse

from fairlead.config.rooms import PACKAGE
from fairlead.fields.catalogue import catalogue
from fairlead.fields.models import CustomField
from fairlead.journal.models import Event
from fairlead.organisation.models import Organisation
from fairlead.web.settings_items import SINGLE
from fairlead.web.views.help import help_content

NEW = {
    "subject_type": "opportunity",
    "type": "text",
    "label_zh": "项目代号",
    "label_en": "Project code",
    "key": "project_code",
}


def test_a_field_is_usable_at_once(client_of, where):
    client = client_of("admin")
    made = client.post(reverse("web:new_field"), NEW)
    assert made.status_code == 302
    assert made.url.endswith("?of=opportunity#f-project_code")
    assert catalogue("opportunity")["project_code"].label == {"zh": "项目代号", "en": "Project code"}
    deal = where.edit(where.deal(), project_code="P-7")
    assert deal.custom["project_code"] == "P-7"
    assert "Project code" in client.get(reverse("web:fields")).content.decode()
    assert Event.objects.filter(type="field_added", actor_id=where.admin.pk).exists()


def test_a_choice_brings_its_options(client_of):
    client = client_of("admin")
    values = NEW | {"type": "choice", "key": "rail", "options": "metro | 地铁 | Metro\ntram|有轨电车\n\nbus"}
    client.post(reverse("web:new_field"), values)
    assert CustomField.objects.get(key="rail").options == [
        {"value": "metro", "label": {"zh": "地铁", "en": "Metro"}},
        {"value": "tram", "label": {"zh": "有轨电车", "en": "有轨电车"}},
        {"value": "bus", "label": {"zh": "bus", "en": "bus"}},
    ]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"key": "amount"}, "built-in field already has this key"),
        ({"key": "9x"}, "small letters"),
        ({"type": "choice"}, "at least one option"),
        ({"type": "choice", "options": "a\na"}, "stands there twice"),
        ({"type": "choice", "options": "a|b|c|d"}, "Line 1 is not read"),
        ({"label_zh": "", "label_en": ""}, "Name the field"),
        ({"type": "person"}, "Select a valid choice"),
        ({"subject_type": "user"}, "Select a valid choice"),
    ],
)
def test_a_wrong_field_is_refused_where_it_is_wrong(client_of, change, said):
    answer = client_of("admin").post(reverse("web:new_field"), NEW | change)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not CustomField.objects.filter(key__in=["project_code", "9x", "amount"]).exists()


@pytest.mark.rule("T14")
def test_two_people_rename_one_field(client_of):
    client = client_of("admin")
    client.post(reverse("web:new_field"), NEW)
    row = CustomField.objects.get(key="project_code")
    url = reverse("web:edit_field", args=[row.pk])
    words = {"label_zh": "代号", "label_en": "Code", "options": "", "version": row.version}
    assert client.post(url, words).status_code == 302
    refused = client.post(url, words | {"label_en": "Other"})
    assert refused.status_code == 409
    text = refused.content.decode()
    assert "Code" in text
    assert "Other" in text
    version = re.search(r'name="version" value="(\d+)"', text).group(1)
    assert client.post(url, words | {"label_en": "Other", "version": version}).status_code == 302
    row.refresh_from_db()
    assert row.label == {"zh": "代号", "en": "Other"}


def test_a_retired_field_keeps_its_values(client_of, where):
    client = client_of("admin")
    client.post(reverse("web:new_field"), NEW)
    deal = where.edit(where.deal(), project_code="P-7")
    row = CustomField.objects.get(key="project_code")
    url = reverse("web:retire_field", args=[row.pk])
    assert client.post(url, {"retired": "1", "version": row.version}).status_code == 302
    assert "project_code" not in catalogue("opportunity")
    assert client.post(url, {"retired": "0", "version": row.version}).status_code == 409
    assert client.post(url, {"retired": "0", "version": row.version + 1}).status_code == 302
    assert "project_code" in catalogue("opportunity")
    deal.refresh_from_db()
    assert deal.custom["project_code"] == "P-7"
    assert client.post(url, {"retired": "2", "version": 3}).status_code == 422


@pytest.mark.rule("T14")
def test_the_company_is_changed_with_its_version(client_of, where):
    client = client_of("admin")
    url = reverse("web:organisation")
    text = client.get(url).content.decode()
    version = re.search(r'name="version" value="(\d+)"', text).group(1)
    values = {
        "name": "海纳",
        "currency": "EUR",
        "time_zone": "Europe/Berlin",
        "soft_mode": "on",
        "version": version,
        "process_opportunity": "key_account_opportunity",
    }
    assert client.post(url, values).status_code == 302
    row = Organisation.objects.get()
    assert (row.name, row.currency, row.time_zone, row.soft_mode) == ("海纳", "EUR", "Europe/Berlin", True)
    assert row.default_processes == {"opportunity": "key_account_opportunity"}
    stale = client.post(url, values | {"name": "海纳二"})
    assert stale.status_code == 409
    assert "Company now" in stale.content.decode()
    assert client.post(url, values | {"currency": "XXX"}).status_code == 422
    assert client.post(url, values | {"process_opportunity": "none"}).status_code == 422
    assert Organisation.objects.get().name == "海纳"


def found(client, text):
    """What the list of settings answers to a word: address → name."""
    text = client.get(reverse("web:settings"), {"q": text}, headers={"HX-Request": "true"}).content.decode()
    rows = re.findall(r'class="t" href="([^"]+)">([^<]+)', text)
    return {unescape(url): unescape(name) for url, name in rows}


@pytest.mark.rule("U01")
@pytest.mark.parametrize(
    ("text", "name", "place"),
    [
        ("calendar", "Working calendar", "/settings/calendar/"),
        ("日历", "Working calendar", "/settings/calendar/"),
        ("rili", "Working calendar", "/settings/calendar/"),
        ("折扣", "Discount", "/settings/fields/?of=opportunity#f-discount"),
        ("zhekou", "Discount", "/settings/fields/?of=opportunity#f-discount"),
        ("quiet hours", "Quiet hours", "/inbox/settings/#f-quiet_from"),
        ("add person", "Add a person", "/people/new"),
        ("dark", "Theme", "/profile#id_theme"),
        ("curren", "Currency", "/settings/organisation/#id_currency"),
        ("why lost", "Why a deal is lost", "/processes/key_account_opportunity/#h-lists"),
    ],
)
def test_a_setting_is_found_by_a_word_in_either_language(client_of, text, name, place):
    assert found(client_of("admin"), text)[place] == name


@pytest.mark.rule("U01")
def test_every_place_that_the_search_names_is_on_its_page(client_of):
    """An address with an anchor leads to an element, for whoever finds it."""
    client = client_of("admin")
    texts: dict[str, str] = {}
    for one in SINGLE:
        for url in found(client, str(one.label)):
            path, _hash, anchor = url.partition("#")
            text = texts.setdefault(path, client.get(path).content.decode())
            assert not anchor or f'id="{anchor}' in text, url
    assert len(texts) >= 8


@pytest.mark.rule("U01", "T05")
def test_nobody_finds_a_setting_that_is_not_theirs(client_of):
    seller = found(client_of("zhou"), "e")
    assert not {"Currency", "Add a person", "New field", "Discount"} & set(seller.values())
    for text in ("folk", "discount", "curren", "invite"):
        assert not any(
            url.startswith(("/people", "/settings/fields", "/settings/organisation"))
            for url in found(client_of("zhou"), text)
        )
    assert "Why can somebody see or move this?" in found(client_of("admin"), "why can somebody").values()


@pytest.mark.rule("U15")
def test_a_word_that_finds_nothing_offers_to_clear_it(client_of):
    text = client_of("admin").get(reverse("web:settings"), {"q": "qqzzqq"}).content.decode()
    assert "Nothing matches" in text and "Clear the filter" in text


def test_the_list_of_settings_stands_in_groups_of_what_one_may_open(client_of):
    def groups(username):
        text = client_of(username).get(reverse("web:settings")).content.decode()
        return re.findall(r'<h2 id="g-\d+">([^<]+)</h2>', text)

    assert groups("admin") == ["Process", "People", "Company", "Data", "Mine", "Product"]
    assert groups("zhou") == ["Process", "People", "Company", "Mine", "Product"]


@pytest.mark.rule("CA-4")
def test_a_year_shows_its_days_and_whether_it_is_provisional(client_of):
    client = client_of("zhou")
    known = client.get(reverse("web:calendar"), {"year": "2025"}).content.decode()
    assert "248 working days" in known
    assert "provisional" not in known
    assert "2025-10-01" in known
    assert "Make-up workday" in known
    later = client.get(reverse("web:calendar"), {"year": "2040"}).content.decode()
    assert "2040 is provisional" in later
    for odd in ("", "x", "99999", "0001", "²²²²"):
        assert client.get(reverse("web:calendar"), {"year": odd}).status_code == 200


@pytest.mark.parametrize("path", ["/help/", "/about/", "/settings/", "/"])
def test_pages_for_everybody(client_of, path):
    assert client_of("newcomer").get(path).status_code == 200


def test_the_words_of_the_help_are_those_of_the_glossary():
    glossary = (PACKAGE.parent.parent / "docs" / "glossary.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1:3] for line in glossary.splitlines() if line.startswith("|")]
    known = {tuple(part.split(" (")[0].strip() for part in row) for row in rows}
    assert {(term["zh"], term["en"]) for term in help_content()["terms"]} - known == set()


def test_the_about_page_names_what_is_inside(client_of):
    text = client_of("zhou").get("/about/").content.decode()
    assert "Apache-2.0" in text
    for file in Path(PACKAGE / "common/static/vendor/licences").glob("*.txt"):
        assert file.stem in text
    assert "Django" in text


def test_the_help_is_whole_in_both_languages():
    content = help_content()
    said = [words for topic in content["topics"] for words in (topic["title"], topic["text"])]
    said += [term["means"] for term in content["terms"]] + [key["says"] for key in content["keys"]]
    assert [words for words in said if set(words) != {"zh", "en"} or not all(words.values())] == []


@pytest.mark.rule("MV-6")
def test_lists_say_who_owns_them_and_only_own_ones_lead_to_a_change(client_of):
    client = client_of("admin")
    client.post(
        reverse("web:new_field"), NEW | {"type": "choice", "key": "rail", "options": "metro | 地铁 | Metro"}
    )
    row = CustomField.objects.get(key="rail")
    text = unescape(client.get(reverse("web:lists")).content.decode())
    assert "Why a deal is lost" in text and "need_cancelled" in text
    assert f"{reverse('web:edit_field', args=[row.pk])}#id_options" in text
    assert reverse("web:field", args=["opportunity", "source"]) in text and "Metro" in text
    seller = client_of("zhou").get(reverse("web:lists")).content.decode()
    assert "need_cancelled" in seller and "Metro" in seller and "/settings/fields/" not in seller
