"""The matrix of rights, and the explanation of a single decision."""

import random
from html import unescape

import pytest
from django.urls import reverse

from fairlead.crm.models import Account, Contact, Opportunity
from fairlead.organisation.enums import Role, Scope
from fairlead.organisation.explaining import Place, explain
from fairlead.organisation.right_names import NAMES
from fairlead.organisation.rights import ALL_RIGHTS, RIGHTS, Grant
from fairlead.web.selectors.rights import answers

RECORD_RIGHTS = {
    "opportunity": ["opportunity.view", "opportunity.edit", "opportunity.move", "opportunity.reassign"],
    "account": ["account.view", "account.edit"],
    "contact": ["contact.view", "contact.edit"],
}
MODELS = {"opportunity": Opportunity, "account": Account, "contact": Contact}


def test_every_right_has_a_name():
    assert set(NAMES) == set(ALL_RIGHTS)


@pytest.mark.rule("U39", "T05")
def test_the_explanation_equals_the_decision_in_five_hundred_cases(where):
    owners = ["zhou", "wu", "qi", "lin"]
    for number, name in enumerate(owners):
        account = where.account(f"客户 {number}", owner=where.people[name])
        where.contact(account, f"联系人 {number}")
        where.deal(f"商机 {number}", owner=where.people[name], account=account)
    where.edit(Opportunity.objects.get(name="商机 2"), sr=where.sun.pk, fr=where.he.pk)
    chance = random.Random(7)
    cases = [
        (person, kind, row, right)
        for person in where.people.values() for kind, rights in RECORD_RIGHTS.items()
        for row in MODELS[kind].objects.all() for right in rights
    ]  # fmt: skip
    chosen = chance.sample(cases, min(500, len(cases)))
    assert len(chosen) >= 400
    outcomes = set()
    for person, kind, row, right in chosen:
        really = MODELS[kind].objects.visible_to(person, right).filter(pk=row.pk).exists()
        assert answers(person, kind, row, [right])[0].reaches == really, (
            person.username,
            kind,
            row.pk,
            right,
        )
        outcomes.add(really)
    assert outcomes == {True, False}


@pytest.mark.rule("U39")
@pytest.mark.parametrize(
    ("grant", "place", "reaches"),
    [
        (Grant(Role.AR, 1, frozenset()), Place(1, True), True),
        (Grant(Role.AR, 1, frozenset()), Place(1, False), False),
        (Grant(Role.MGR, 1, frozenset({2})), Place(2, False), True),
        (Grant(Role.MGR, 1, frozenset({2})), Place(3, False), False),
        (Grant(Role.MGR, None, frozenset()), Place(None, True), False),
        (Grant(Role.ADMIN, None, frozenset()), Place(3, False), True),
        (Grant(Role.ADMIN, 1, frozenset({2}), Scope.TEAM), Place(2, False), False),
        (Grant(Role.LEG, 1, frozenset()), Place(1, True), False),
    ],
)
def test_what_one_role_gives(grant, place, reaches):
    assert [reason.reaches for reason in explain([grant], "opportunity.move", place)] == [reaches]


def test_the_matrix_is_open_to_all_and_the_question_to_administrators(where, client_of):
    text = unescape(client_of("zhou").get("/settings/rights/").content.decode())
    assert text.count("<tr>") == len(ALL_RIGHTS) + 1 and "Grant waivers" in text
    assert text.count(">Branch<") == sum(
        scope == Scope.BRANCH for of in RIGHTS.values() for scope in of.values()
    )
    assert "Why can somebody" not in text
    deal = where.deal("园区网")
    asked = {"person": "zhou", "record": reverse("crm:opportunity", args=[deal.pk])}
    assert (
        "Move opportunities"
        not in client_of("zhou").get("/settings/rights/", asked).content.decode().split("<table")[0]
    )
    said = unescape(client_of("admin").get("/settings/rights/", asked).content.decode()).split("<table")[0]
    assert "Move opportunities: yes" in said and "Own records: owner or deal team." in said
    assert "more items, then on to Needs analysis" in said
    stranger = unescape(
        client_of("admin").get("/settings/rights/", asked | {"person": "qi"}).content.decode()
    )
    assert "See opportunities: no" in stranger


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"person": "nobody", "record": "园区"}, "Choose a person of the list."),
        ({"person": "zhou", "record": "不存在"}, "Nothing is called so."),
        ({"person": "zhou", "record": "/opportunities/999999/"}, "Nothing is called so."),
        ({"person": "zhou", "record": "/nowhere/1/"}, "Nothing is called so."),
        ({"person": "zhou", "record": "园区"}, "Several records are called so."),
        ({"person": "zhou", "record": "\x00‮" * 300}, "Nothing is called so."),
    ],
)
def test_a_question_that_cannot_be_answered_says_how_to_mend_it(where, client_of, asked, message):
    where.deal("园区网 A")
    where.deal("园区网 B")
    assert message in client_of("admin").get("/settings/rights/", asked).content.decode()
