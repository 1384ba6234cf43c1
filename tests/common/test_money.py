from decimal import Decimal

import pytest
from django.utils import translation

from fairlead.common.money import format_amount, quantize


@pytest.mark.parametrize(
    ("amount", "chinese", "english"),
    [
        (None, "", ""),
        (0, "¥0", "¥0"),
        (999, "¥999", "¥999"),
        ("1000", "¥1,000", "¥1K"),
        (12345, "¥1.2万", "¥12.3K"),
        (1_800_000, "¥180万", "¥1.8M"),
        (99_996_000, "¥1亿", "¥100M"),
        (-5000, "−¥5,000", "−¥5K"),
    ],
)
def test_short_amounts_in_both_languages(amount, chinese, english):
    with translation.override("zh-hans"):
        assert format_amount(amount, "CNY") == chinese
    with translation.override("en"):
        assert format_amount(amount, "CNY") == english


def test_full_amounts():
    assert format_amount(Decimal("1234567.805"), "USD", short=False) == "$1,234,567.81"
    assert format_amount(1234, "JPY", short=False) == "JP¥1,234"
    assert format_amount(5, "CHF", short=False) == "CHF 5.00"


def test_quantize_rounds_half_up_and_refuses_what_is_no_money():
    assert quantize("2.345") == Decimal("2.35")
    assert quantize("-2.345") == Decimal("-2.35")
    for wrong in ("abc", "NaN", "Infinity"):
        with pytest.raises(ValueError, match="not an amount of money"):
            quantize(wrong)
