"""The exports that are not lists (T10): audit log and funnel. No cell of theirs runs, behind whatever it hides."""

from __future__ import annotations

import ast
import csv
import io
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from tests.exchange.test_list_files import PREFIXES
from tests.factories.crm import Company, company

from fairlead.common.safe_cells import is_risky, restored_cell
from fairlead.crm.models import Opportunity
from fairlead.organisation.models import Team, User

SRC = Path(__file__).parents[2] / "src" / "fairlead"


@pytest.fixture
def where(db: None) -> Company:
    return company(language="en")


def cells(answer: object) -> list[str]:
    content = b"".join(answer)  # type: ignore[call-overload]
    return [
        cell for line in csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")) for cell in line
    ]


@pytest.mark.rule("T10")
@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_name_that_looks_like_a_formula_is_text_in_every_export(
    where: Company, client: Client, prefix: str
) -> None:
    text = f"{prefix}1+1"
    deal = where.deal()
    Opportunity.objects.filter(pk=deal.pk).update(name=text)
    User.objects.filter(pk=where.zhou.pk).update(name=text)
    Team.objects.filter(pk=where.zhou.team_id).update(name=text)
    client.force_login(where.tang)
    asked = {"team": where.zhou.team_id, "owner": where.zhou.pk}
    for address, params in ((reverse("insight:audit_csv"), {}), (reverse("insight:funnel_csv"), asked)):
        if address == reverse("insight:audit_csv"):
            client.force_login(where.shen)
        else:
            client.force_login(where.chen)
        answer = client.get(address, params)
        assert answer.status_code == 200, address
        found = cells(answer)
        assert [cell for cell in found if is_risky(cell) and not cell.startswith("'")] == [], address
        assert text.replace("\x00", "") in {restored_cell(cell) for cell in found}, address


@pytest.mark.rule("T10")
def test_whoever_writes_csv_writes_safe_cells() -> None:
    """A second exporter with a filter of its own is how the first one is passed by."""
    writing = {}
    for path in SRC.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if "csv.writer(" not in text and "csv.DictWriter(" not in text:
            continue
        imported = {
            node.module
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.ImportFrom) and node.module
        }
        writing[str(path.relative_to(SRC))] = "fairlead.common.safe_cells" in imported
    assert len(writing) >= 3 and all(writing.values()), writing
