"""The credit code of a company: a slip is warned of, never in the way."""

import random

import pytest
from django.test import Client
from django.urls import reverse
from tests.factories.crm import company

from fairlead.crm.credit_codes import ALPHABET, check_character, fault_of
from fairlead.crm.models import Account

#: Of companies that publish theirs.
REAL = ("91110000802100433B", "91440300708461136T", "9144030071526726XG", "91330100799655058B")


@pytest.mark.rule("U18")
def test_real_codes_fit_and_every_single_slip_is_noticed() -> None:
    for code in REAL:
        assert fault_of(code) == fault_of(f" {code.lower()} ") == ""
        for place in range(18):
            for other in ALPHABET:
                if other != code[place]:
                    assert fault_of(code[:place] + other + code[place + 1 :]) == "check"
    dice = random.Random(18)
    for _case in range(500):
        start = "".join(dice.choice(ALPHABET) for _n in range(17))
        assert fault_of(start + check_character(start)) == ""
    assert fault_of("9111000080210043") == "length" and fault_of("91110000802100433I") == "character"


@pytest.mark.rule("U18")
def test_the_form_warns_and_saves_all_the_same(db: None, client: Client) -> None:
    where = company(language="en")
    client.force_login(where.zhou)
    asked = reverse("crm:account_alike")
    wrong = client.get(asked, {"uscc": "91110000802100433A"}, headers={"HX-Request": "true"}).content.decode()
    assert "The last character does not fit" in wrong
    right = client.get(asked, {"uscc": REAL[0]}, headers={"HX-Request": "true"}).content.decode()
    assert "credit code" not in right
    done = client.post(reverse("crm:account_new"), {"name": "Heng Yue", "uscc": "91110000802100433A"})
    assert done.status_code == 302 and Account.objects.filter(uscc="91110000802100433A").exists()
