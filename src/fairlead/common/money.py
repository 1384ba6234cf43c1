"""Money is a Decimal with its currency beside it; a float never meets a price."""

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Final

from django.utils.translation import get_language

SYMBOLS: Final = {"CNY": "¥", "USD": "$", "EUR": "€", "GBP": "£", "JPY": "JP¥", "HKD": "HK$", "TWD": "NT$"}
_WITHOUT_MINOR_UNIT: Final = frozenset({"JPY", "KRW", "VND", "CLP", "ISK"})
_CHINESE_UNITS: Final = ((Decimal(10) ** 8, "亿"), (Decimal(10) ** 4, "万"))
_ENGLISH_UNITS: Final = ((Decimal(10) ** 9, "B"), (Decimal(10) ** 6, "M"), (Decimal(10) ** 3, "K"))


def decimals_of(currency: str) -> int:
    return 0 if currency in _WITHOUT_MINOR_UNIT else 2


def quantize(amount: Decimal | int | str, currency: str = "CNY") -> Decimal:
    """Round half up to the currency's smallest unit: the one place where money is rounded.

    Raises ValueError for what is not a finite number.
    """
    try:
        value = Decimal(amount)
        if not value.is_finite():
            raise ValueError(f"{amount!r} is not an amount of money.")
        return value.quantize(Decimal(1).scaleb(-decimals_of(currency)), ROUND_HALF_UP)
    except InvalidOperation as error:
        raise ValueError(f"{amount!r} is not an amount of money.") from error


def format_amount(amount: Decimal | int | str | None, currency: str = "CNY", *, short: bool = True) -> str:
    """`¥180万` or `¥1.8M` in short, `¥1,800,000.00` in full; empty for an amount that nobody gave."""
    if amount is None:
        return ""
    value = quantize(amount, currency)
    sign, size = ("−" if value < 0 else ""), abs(value)
    symbol = SYMBOLS.get(currency, f"{currency} ")
    if not short:
        return f"{sign}{symbol}{size:,.{decimals_of(currency)}f}"
    return f"{sign}{symbol}{_shortened(size)}"


def _shortened(size: Decimal) -> str:
    is_chinese = (get_language() or "").startswith("zh")
    units = _CHINESE_UNITS if is_chinese else _ENGLISH_UNITS
    for position, (unit, word) in enumerate(units):
        if size < unit:
            continue
        scaled = _significant(size / unit)
        above = units[position - 1] if position else None
        if above and scaled * unit >= above[0]:  # 9,999.6万 rounds up into the next unit
            return f"{_plain(_significant(size / above[0]))}{above[1]}"
        return f"{_plain(scaled)}{word}"
    return _plain(size.quantize(Decimal(1), ROUND_HALF_UP))


def _significant(value: Decimal) -> Decimal:
    """One decimal below a hundred, none above: three figures are enough for a card."""
    return value.quantize(Decimal("0.1") if value < 100 else Decimal(1), ROUND_HALF_UP)


def _plain(value: Decimal) -> str:
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
