"""Help inside the product: every document as a page in both languages, safe, and the fitting one from every page."""

import re
from html import unescape

import pytest
from django.urls import reverse
from tests.config.test_docs import DOCS
from tests.e2e.pages import PAGES, page_routes

from fairlead.common.access import routes
from fairlead.web.guides import FITTING, LEFT_OUT, draw, drawn, fitting, guides


@pytest.mark.rule("U37", "HOUSE-3")
def test_every_document_for_users_is_a_guide_in_both_languages():
    written = {path.stem for place in (DOCS, DOCS / "concepts") for path in place.glob("*.md")} - LEFT_OUT
    for language in ("zh", "en"):
        known = guides(language)
        assert set(known) == written
        for guide in known.values():
            assert len(drawn(guide).html) > 400, guide.key
    assert [g.key for g in guides("zh").values() if g.language != "zh"] == ["glossary"]  # bilingual by itself


@pytest.mark.rule("U37")
def test_a_guide_is_read_in_the_language_of_the_reader(client_of, where):
    client = client_of("zhou")
    text = unescape(client.get(reverse("web:guide", args=["clocks"])).content.decode())
    assert (
        "<h1>Four clocks</h1>" in text
        and 'class="fl-table"' in text
        and "style=" not in text.split("<main")[1]
    )
    type(where.zhou).objects.filter(pk=where.zhou.pk).update(language="zh-hans")
    assert "<h1>四个时限</h1>" in client.get(reverse("web:guide", args=["clocks"])).content.decode()
    assert client.get(reverse("web:guide", args=["nothing"])).status_code == 404
    assert client.get("/help/..%2f..%2fsecret/").status_code == 404
    assert "<h1>Four clocks</h1>" in client.get("/help/clocks/?in=en").content.decode()
    listed = client.get(reverse("web:help")).content.decode()
    assert all(reverse("web:guide", args=[key]) in listed for key in guides("zh"))


@pytest.mark.rule("T07")
@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "[a](javascript:alert(1))",
        "[a](data:text/html,x)", "[a](vbscript:x)", "![a](https://elsewhere.example/x.png)",
        "[a](//elsewhere.example)", '[a](clocks.md "onmouseover=alert(1)")', "|a|\n|:-:|\n|<b hx-get=/x>|",
        "```html\n<script>x</script>\n```", "[a](../../etc/passwd)", "<a hx-get=/x>b</a>",
    ],
)  # fmt: skip
def test_nothing_of_a_text_becomes_code_or_leads_away(text):
    html = str(draw(f"# T\n\n{text}\n", known={"clocks": ""}).html)
    tags = set(re.findall(r"<([a-z0-9]+)", html))
    assert tags <= {"p", "a", "table", "thead", "tbody", "tr", "th", "td", "div", "pre", "code"}
    assert not re.search(r"<[^>]*\s(on\w+|style|hx-\w+|src)=", html)
    assert set(re.findall(r'href="([^"]*)"', html)) <= {reverse("web:guide", args=["clocks"])}


@pytest.mark.rule("U37")
def test_every_page_has_help_in_the_same_corner_and_the_guide_that_fits(client_of):
    client = client_of("admin")
    for path in ("/", "/board/", "/opportunities/", "/accounts/", "/settings/", "/people", "/processes/",
                 "/funnel/", "/tasks/", "/inbox/", "/imports/", "/audit/", "/recent/", "/profile"):  # fmt: skip
        text = client.get(path).content.decode()
        menu = text.split('aria-label="Help"')[1].split("</details>")[0]
        assert reverse("web:help") in menu and "/help/" in menu.replace(reverse("web:help") + '"', "", 1), (
            path
        )
    for language in ("zh", "en"):
        assert {key for _start, key in FITTING} <= set(guides(language))
    names = {route.pattern: route.name for route in routes()}
    for pattern in set(PAGES) & set(page_routes()):
        assert fitting(names[pattern], "en") is not None, pattern


def test_the_badge_of_sample_data_says_how_to_empty_it():
    for language, words in (("en", "fairlead demo --clear"), ("zh", "fairlead demo --clear")):
        assert words in unescape(str(drawn(guides(language)["demo"]).html))


@pytest.mark.rule("U37")
def test_a_word_is_explained_where_it_stands_and_once_a_page(client_of, where):
    where.deal("without a next step")
    client = client_of("zhou")
    for path, word in (
        ("/", "next step"),
        ("/processes/key_account_opportunity/", "gate"),
        ("/value-chain/", "value chain"),
    ):
        text = unescape(client.get(path).content.decode())
        boxes = re.findall(r'id="(term-\d+)" role="note" popover><b>([^<]+)</b> (.*?) <a', text)
        assert word in [said for _id, said, _means in boxes], path
        assert len({one for one, _said, _means in boxes}) == len(boxes)
        assert all(f'popovertarget="{one}"' in text and len(means) > 15 for one, _said, means in boxes)
