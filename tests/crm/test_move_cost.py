"""What one move costs: the number of its statements; and that its quick look at rights is the slow one."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from tests.factories.crm import company

from fairlead.crm.models import Opportunity
from fairlead.crm.rules import covers
from fairlead.process.models import Evaluation, Journey

HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/board/"}


def _move(client: Client, deal: Any) -> list[str]:
    url = reverse("crm:move", args=[deal.pk])
    version = Journey.objects.get(pk=deal.journey_id).version
    with CaptureQueriesContext(connection) as asked:
        answer = client.post(url, {"to": "needs_analysis", "version": version}, headers=HTMX)
    assert answer.status_code == 200
    return [q["sql"] for q in asked]


@pytest.mark.rule("T21")
@pytest.mark.django_db
def test_a_move_over_http_takes_so_many_statements(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    # Whether the catalogue is looked at anew depends on the clock of the machine, not on the move.
    monkeypatch.setattr("fairlead.fields.catalogue.RECHECK_SECONDS", 3600)
    where = company()
    deals = [where.fulfil(where.deal()) for _ in range(3)]
    client.force_login(where.zhou)
    _move(client, deals[0])  # what a process reads only once is no part of a move

    for deal in deals[1:]:
        asked = _move(client, deal)
        # Session, person, roles, deal; thirteen for its facts (its vetoes and accepted hand-overs among them) and its
        # process, one for the calendar; lock, right, flags. Written: evaluation, event, visit left, visit entered,
        # journey, clocks, new flags (after their ids); two around it all.
        assert len(asked) == 31, "\n".join(asked)
        kept = Evaluation.objects.filter(journey=deal.journey_id).get()
        assert kept.allowed and kept.facts["fields"]["name"] == deal.name


@pytest.mark.rule("T01")
@pytest.mark.django_db
def test_what_a_reach_covers_is_what_its_filter_lets_pass() -> None:
    where = company()
    deals = [where.deal(owner=owner) for owner in (where.zhou, where.lin, where.wu, where.qi)]
    Opportunity.objects.filter(pk=deals[0].pk).update(sr=where.sun, team=None)
    Opportunity.objects.filter(pk=deals[1].pk).update(fr=where.he)
    rights = ("opportunity.view", "opportunity.move", "waiver.grant", "deal.attest", "regress.confirm")
    for name in ("zhou", "lin", "sun", "he", "chen", "luo", "tang", "admin", "fang", "shen", "newcomer"):
        user = getattr(where, name)
        for right in rights:
            passed = set(Opportunity.objects.visible_to(user, right).values_list("pk", flat=True))
            covered = {
                d.pk
                for d in Opportunity.objects.all()
                if covers(user.reach(right), user.pk, d.team_id, (d.owner_id, d.sr_id, d.fr_id))
            }
            assert covered == passed, (name, right)
