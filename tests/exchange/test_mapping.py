import pytest
from django.utils import translation
from tests.exchange.kit import mapped, opened

from fairlead.exchange.reading.files import open_table, sniff
from fairlead.exchange.reading.formats import fingerprint
from fairlead.exchange.reading.layouts import Layout, recognise, undress
from fairlead.exchange.reading.mapping import TargetField, missing_required, suggest_mapping
from fairlead.exchange.reading.matching import (
    STAGE_WORDS,
    STATE_WORDS,
    Entry,
    MatchReason,
    Person,
    suggest_people,
    suggest_values,
)
from fairlead.exchange.reading.mends import Mend, answered, apply, propose_mends
from fairlead.exchange.reading.profile import profile
from fairlead.exchange.reading.values import DateOrder, NumberStyle, ReadAs
from fairlead.fields.enums import FieldType


def test_the_salesforce_dress_is_taken_off():
    assert undress("LastModifiedDate").words == "last modified date"
    assert undress("Loss_Reason__c").words == "loss reason"
    assert (undress("OwnerId").words, undress("OwnerId").is_reference_id) == ("owner id", True)
    assert (undress("user_id/id", Layout.ODOO).words, undress("user_id/id").is_reference_id) == ("user", True)
    assert (undress("Deal - Title").entity, undress("Deal - Title").words) == ("opportunity", "title")
    assert (undress("*商机金额（万元）").words, undress("*商机金额（万元）").unit) == ("商机金额", "万元")
    assert undress("客户名称（必填）").words == "客户名称"


def test_a_fingerprint_knows_the_same_titles_in_any_order():
    assert fingerprint(["商机名称", "*客户"]) == fingerprint(["客户 ", "商机名称"])
    assert fingerprint(["a"]) != fingerprint(["a", "a"])


def test_each_field_is_suggested_once_and_says_why():
    targets = [
        TargetField("opportunity.name", FieldType.TEXT, {"zh": "名称", "en": "Name"}, True),
        TargetField("opportunity.amount", FieldType.MONEY, {"zh": "金额", "en": "Amount"}),
        TargetField(
            "opportunity.tender_no", FieldType.TEXT, {"zh": "招标编号", "en": "Tender no."}, True, ("RFP",)
        ),
    ]
    table = opened("名称,Deal name,Amuont,rfp,zzz\n".encode())
    found = suggest_mapping(table.columns, targets, subject="opportunity")

    assert [(s.target, s.reason) for s in found] == [
        ("opportunity.name", "label"), (None, "taken"), ("opportunity.amount", "similar"),
        ("opportunity.tender_no", "synonym"), (None, "none"),
    ]  # fmt: skip
    assert found[1].alternatives == (("opportunity.name", 0.94),)
    assert found[0].confidence > found[2].confidence
    with translation.override("zh-hans"):
        assert found[0].why == "标题就是字段名。"
    assert missing_required(targets, [s.target for s in found]) == []
    assert [t.key for t in missing_required(targets, [None])] == ["opportunity.name", "opportunity.tender_no"]


def test_values_contradict_and_speak_for_themselves():
    targets = [
        TargetField("close_date", FieldType.DATE, meaning="closed_at"),
        TargetField("email", FieldType.EMAIL),
    ]
    content = b"close date,who\nnever,a@b.cn\nsoon,c@d.cn\n"
    table = opened(content)
    found = suggest_mapping(
        table.columns, targets, subject="opportunity", profiles=profile(opened(content)).columns
    )
    assert [(s.target, s.reason) for s in found] == [(None, "unlikely"), ("email", "content")]


def test_what_kind_of_rows_a_file_holds():
    assert recognise(["Id", "StageName", "IsDeleted", "SystemModstamp"]).subject == "opportunity"
    assert recognise(["线索名称", "负责人", "创建时间"]).layout is Layout.WUKONG
    assert recognise(["foo", "bar"]).layout is Layout.OTHER
    assert recognise(["foo", "bar"]).subject == ""


def test_spelling_synonyms_and_slips():
    products = [
        Entry(name, (name,)) for name in ("GTX Basic", "GTX Pro", "GTX Plus Pro", "MG Special", "GTK 500")
    ]
    found = {s.text: s for s in suggest_values({"GTXPro": 1480, "gtx pro": 1, "MG Specail": 2, "GTK 600": 1,
    "待定": 3, "x": 1},
                                               products)}  # fmt: skip
    assert (found["GTXPro"].key, found["GTXPro"].reason, found["GTXPro"].is_safe) == (
        "GTX Pro", MatchReason.SPELLING, True
    )  # fmt: skip
    assert found["GTXPro"].rows == 1480
    assert found["gtx pro"].reason is MatchReason.SAME
    assert (found["MG Specail"].key, found["MG Specail"].is_safe) == ("MG Special", False)
    assert (found["GTK 600"].key, found["GTK 600"].alternatives) == (None, (("GTK 500", 0.5),))
    assert (found["待定"].key, found["待定"].reason) == (None, MatchReason.PLACEHOLDER)
    assert found["x"].key is None

    words = [
        Entry("technology", ("Technology", "科技")),
        Entry("PH", ("Philippines", "菲律宾")),
        Entry("medical", ("Medical",)),
    ]
    assert [s.key for s in suggest_values(["technolgy", "Philipines", "medical"], words)] == [
        "technology",
        "PH",
        "medical",
    ]


def test_stages_of_other_systems():
    stages = [
        Entry(key, ()) for key in ("customer_contact", "needs_analysis", "quote_negotiation", "won", "lost")
    ]
    texts = [
        "Engaging",
        "Id. Decision Makers",
        "Negotiation/Review",
        "Closed Won",
        "Lost",
        "Presentation Scheduled",
        "商务谈判",
    ]
    found = suggest_values(texts, stages, words={**STAGE_WORDS, **STATE_WORDS})
    assert [s.key for s in found] == [
        "customer_contact", "needs_analysis", "quote_negotiation", "won", "lost", None, "quote_negotiation"
    ]  # fmt: skip


def test_people_by_name_mail_and_pinyin():
    people = [
        Person("1", "王敏", "wm@x.cn", "wmin"), Person("2", "Dwight Schrute", "dwight.schrute@example.com"),
        Person("3", "李伟"), Person("4", "李伟"), Person("5", "单雄信"), Person("6", "吕布"),
    ]  # fmt: skip
    texts = ["王敏", "Wang Min", "min.wang@corp.com", "WMIN", "Dwight.Schrute@example.com",
    "Schrute, Dwight", "李伟",
             "Shan Xiongxin", "lvbu", "张三", "Dwight Shrute"]  # fmt: skip
    found = suggest_people(texts, people)
    assert [s.key for s in found] == ["1", "1", "1", "1", "2", "2", None, "5", "6", None, "2"]
    assert found[6].alternatives == (("3", 0.5), ("4", 0.5))
    assert [s.is_safe for s in found[:6]] == [True, False, False, True, True, True]


def test_mends_are_proposed_and_repair():
    content = "名称,金额（万元）,签约日期\n 一期 ,1.5,03/04/2017\n２期,180万,05/06/2017\n待定,3,\n".encode()
    table = opened(content)
    targets = [
        TargetField("name", FieldType.TEXT, {"zh": "名称"}), TargetField("amount", FieldType.MONEY),
        TargetField("closed_at", FieldType.DATE),
    ]  # fmt: skip
    seen = profile(opened(content))
    suggestions = suggest_mapping(table.columns, targets, subject="opportunity", profiles=seen.columns)
    mends = propose_mends(seen, suggestions, targets)

    assert [(m.code, m.column, m.rows, m.asks) for m in mends] == [
        ("trim", 0, 1, False), ("half-width", 0, 1, False), ("clear-placeholder", 0, 1, False),
        ("multiply", 1, 3, False), ("date-order", 2, 2, True),
    ]  # fmt: skip
    assert [apply(mends[0], " 一期 "), apply(mends[1], "２期，"), apply(mends[2], "待定")] == [
        "一期",
        "2期，",
        "",
    ]
    assert [apply(mends[3], text) for text in ("1.5", "180万", "0.12345", "x")] == [
        "15000",
        "180万",
        "1234.5",
        "x",
    ]
    assert apply(Mend("multiply", 0, 1, {"factor": 10_000, "style": "comma"}), "1,23456") == "12345,6"
    assert Mend.from_json(mends[4].as_json()) == mends[4]
    order = Mend("date-order", 2, 2, {"order": "dmy"})
    assert answered(order, ReadAs(type=FieldType.DATE)).order is DateOrder.DAY_FIRST
    style = Mend("number-style", 1, 2, {"style": "comma"})
    assert answered(style, ReadAs(type=FieldType.MONEY)).style is NumberStyle.COMMA
    owners = Mend("map-owner", 1, 2, {"map": {"Old  Rep": "7"}})
    assert answered(owners, ReadAs(type=FieldType.PERSON)).value_map == {"old rep": "7"}
    with translation.override("zh-hans"):
        assert mends[3].label == "换算万元：乘以 10000"


@pytest.mark.parametrize(
    "titles", [["*商机名称", "*客户名称", "负责人"], ["Deal - Title", "Organization - Name", "Deal - Owner"]]
)
def test_two_dresses_of_one_file(titles):
    assert list(mapped(titles, "opportunity").values()) == ["name", "account", "owner"]


def test_a_profile_says_what_columns_hold():
    content = (
        "id,金额,日期,邮箱,是否\n1, 1.234,2017-01-02,a@b.cn,是\n"
        "2,待定,2017-01-03,,否\n3,5.6,2017-01-04,c@d.cn,是\n"
    ).encode()
    found = sniff(content)
    assert found.format is not None
    seen = profile(open_table(content, found.format))
    assert [str(c.type) for c in seen.columns] == ["integer", "decimal", "date", "email", "boolean"]
    amount = seen.column("金额")
    assert (amount.filled, amount.empty, amount.untrimmed, dict(amount.placeholders)) == (
        3,
        0,
        1,
        {"待定": 1},
    )
    assert amount.style.style is NumberStyle.POINT
    assert (seen.column("邮箱").empty_share, seen.column("是否").values["是"]) == (1 / 3, 2)
    assert [row.number for row in seen.first_rows] == [2, 3, 4]
