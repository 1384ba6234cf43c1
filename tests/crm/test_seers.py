"""Who sees a record, asked for many people at once."""

import pytest
from tests.factories.crm import Company, company

from fairlead.common import records
from fairlead.crm.models import Account, Contact, Opportunity
from fairlead.organisation.models import User


@pytest.fixture
def where(db: None) -> Company:
    return company(language="en")


@pytest.mark.rule("T05")
def test_asked_at_once_or_one_by_one_the_same_people_see_a_record(where, django_assert_num_queries):
    for name in ("zhou", "wu", "qi"):
        owner = where.people[name]
        account = where.account(f"客户 {name}", owner=owner)
        where.contact(account, f"联系人 {name}")
        where.deal(f"商机 {name}", owner=owner, account=account)
    where.edit(Opportunity.objects.get(name="商机 qi"), sr=where.sun.pk, fr=where.he.pk)
    people = list(User.objects.active().with_roles())
    outcomes = set()
    for kind, model in (("opportunity", Opportunity), ("account", Account), ("contact", Contact)):
        record = records.record_type(kind)
        for row in model.objects.all():
            seers = record.seers(people, row.pk)
            assert seers == {user.pk for user in User.objects.active() if record.sees(user, row.pk)}, (
                kind,
                row,
            )
            outcomes.add(len(seers))
        assert record.seers(people, 10**9) == set()
    assert len(outcomes) > 1
    deal = Opportunity.objects.get(name="商机 qi")
    with django_assert_num_queries(3):  # people and their roles; the deal
        records.record_type("opportunity").seers(list(User.objects.active().with_roles()), deal.pk)
