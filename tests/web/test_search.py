"""The search: what it finds, for whom."""

import re

import pytest

from fairlead.web.selectors.finding import pieces


def names(text):
    rows = re.findall(r'class="t"[^>]*>(.*?)</(?:a|span)>', text)
    return [re.sub("<[^>]+>", "", row) for row in rows]


@pytest.fixture
def records(where):
    account = where.account("华锐重工集团")
    where.contact(account, "单雄信")
    where.deal("车辆段智能运维", account=account)
    other = where.account("启晨半导体", owner=where.qi)
    where.deal("车间改造", owner=where.qi, account=other)
    return where


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("华锐", ["车辆段智能运维", "华锐重工集团"]),
        ("huarui", ["车辆段智能运维", "华锐重工集团"]),
        ("hrzg", ["车辆段智能运维", "华锐重工集团"]),
        ("HUARUI", ["车辆段智能运维", "华锐重工集团"]),
        ("ｈｒｚｇ", ["车辆段智能运维", "华锐重工集团"]),
        ("sxx", ["单雄信"]),
        ("shanxiong", ["单雄信"]),
        ("运维", ["车辆段智能运维"]),
        ("华锐 运维", ["车辆段智能运维"]),
        ("华锐 半导体", []),
        ("%", []),
        ("_", []),
        ("", []),
    ],
)
def test_by_name_pinyin_initials_and_two_characters(records, client_of, text, found):
    got = names(client_of("zhou").get("/search/", {"q": text}).content.decode())
    assert got == found


@pytest.mark.rule("T01")
def test_only_what_the_reader_sees(records, client_of):
    assert names(client_of("zhou").get("/search/?q=车").content.decode()) == ["车辆段智能运维"]
    assert names(client_of("qi").get("/search/?q=车").content.decode()) == ["车间改造"]
    assert names(client_of("newcomer").get("/search/?q=车").content.decode()) == []
    assert len(names(client_of("shen").get("/search/?q=车").content.decode())) == 2


@pytest.mark.parametrize("rows", [1, 50])
def test_eight_queries_and_twenty_rows_of_a_kind(where, client_of, django_assert_num_queries, rows):
    for number in range(rows):
        account = where.account(f"华锐 {number:02}")
        where.contact(account, f"华工 {number:02}")
        where.deal(f"华锐改造 {number:02}", account=account)
    client = client_of("zhou")
    client.get("/search/?q=华")
    with django_assert_num_queries(8):  # session, person, roles; the index, one per kind; the frame's one
        text = client.get("/search/?q=华").content.decode()
    assert len(names(text)) == 3 * min(rows, 20)


def test_htmx_gets_the_results_alone(records, client_of):
    answer = client_of("zhou").get("/search/?q=hr", headers={"HX-Request": "true"})
    assert answer.content.decode().strip().startswith('<div class="fl-stack')


@pytest.mark.parametrize(
    ("name", "text", "marked"),
    [
        ("华锐重工集团", "锐重", ["锐重"]),
        ("华锐重工集团", "ruizh", ["锐重"]),
        ("华锐重工集团", "rzg", ["锐重工"]),
        ("Depot Hangzhou", "hang", ["Hang"]),
        ("华锐重工", "华 工", ["华", "工"]),
        ("华锐重工", "x", []),
        ("<b>华锐</b>", "华", ["华"]),
    ],
)
def test_what_matched_is_marked(name, text, marked):
    cut = pieces(name, text)
    assert "".join(piece for piece, _hit in cut) == name
    assert [piece for piece, hit in cut if hit] == marked


def test_hostile_input_is_only_text(records, client_of):
    client = client_of("zhou")
    for text in (
        "\x00",
        "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
        "🙂",
        "‮abc",
        "x" * 5000,
        "<script>",
    ):
        answer = client.get("/search/", {"q": text})
        assert answer.status_code == 200
        assert "<script>" not in re.sub(r"<script [^>]*>", "", answer.content.decode())
