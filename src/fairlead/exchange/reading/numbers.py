"""Numbers and amounts as people write them: 1,234.56 · 1.234,56 · ¥180万 · 1.5亿元 · (300) · 12.5%."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from fairlead.exchange.reading.problems import shown
from fairlead.exchange.reading.reading import Outcome, Reading, bad, read


class NumberStyle(StrEnum):
    """What stands before the decimals."""

    POINT = "point"  # 1,234.56
    COMMA = "comma"  # 1.234,56


_CURRENCIES: Final = {
    "hk$": "HKD", "us$": "USD", "nt$": "TWD", "au$": "AUD", "s$": "SGD", "$": "USD", "€": "EUR", "£": "GBP",
    "¥": "CNY",
    "￥": "CNY", "₩": "KRW", "₹": "INR", "₽": "RUB", "rmb": "CNY", "cny": "CNY", "usd": "USD", "eur": "EUR",
    "gbp": "GBP",
    "jpy": "JPY", "hkd": "HKD", "twd": "TWD", "sgd": "SGD", "人民币": "CNY", "美元": "USD", "美金": "USD",
    "欧元": "EUR",
    "英镑": "GBP", "日元": "JPY", "港币": "HKD", "港元": "HKD", "元": "CNY", "圆": "CNY", "块": "CNY",
}  # fmt: skip
_FACTORS: Final = {
    "亿": 100_000_000, "千万": 10_000_000, "百万": 1_000_000, "万": 10_000, "萬": 10_000, "億": 100_000_000,
    "w": 10_000,
    "千": 1_000, "百": 100, "bn": 1_000_000_000, "mio": 1_000_000, "mn": 1_000_000, "m": 1_000_000,
    "k": 1_000,
}  # fmt: skip
_CURRENCY: Final = "|".join(sorted(map(re.escape, _CURRENCIES), key=len, reverse=True))
_FACTOR: Final = "|".join(sorted(_FACTORS, key=len, reverse=True))
_SHAPE: Final = re.compile(
    rf"(?P<open>\()?\s*(?P<sign>[+-])?\s*(?P<before>{_CURRENCY})?\s*(?P<inner>[+-])?\s*"
    rf"(?P<digits>\d[\d.,' _]*|[.,]\d+)(?:e(?P<exponent>[+-]?\d{{1,2}}))?\s*"
    rf"(?P<factor>{_FACTOR})?\s*(?P<after>{_CURRENCY})?\s*(?P<percent>[%‰])?\s*(?P<trailing>-)?\s*(?P<close>\))?"
)
_GROUPED: Final = re.compile(r"\d{1,3}(?:[.,' _]\d{3})+")
_MINUS: Final = str.maketrans(
    {"−": "-", "–": "-", "﹣": "-", "，": ",", "．": ".", "\u00a0": " ", "\u202f": " ", "’": "'"}
)
_MOST_DIGITS: Final = 15
_LONGEST: Final = 60


@dataclass(frozen=True, slots=True)
class StyleFinding:
    """What a column says about its decimal sign; `style` None: no cell settles it."""

    style: NumberStyle | None
    undecided: int = 0  # cells such as 1,234 and 1.234
    point: str = ""  # a cell that can only have a decimal point
    comma: str = ""  # a cell that can only have a decimal comma
    example: str = ""

    @property
    def conflict(self) -> bool:
        return bool(self.point and self.comma)


class StyleEvidence:
    """Gathers, cell by cell, what a column says about its decimal sign."""

    def __init__(self) -> None:
        self._point = self._comma = self._example = ""
        self._undecided = 0

    def add(self, text: str) -> None:
        if "." not in text and "," not in text and "，" not in text:
            return
        match = _matched(text)
        style = _style_of(match["digits"].strip()) if match else ""
        if style == "point":
            self._point = self._point or shown(text)
        elif style == "comma":
            self._comma = self._comma or shown(text)
        elif style == "either":
            self._undecided += 1
            self._example = self._example or shown(text)

    def finding(self) -> StyleFinding:
        style = None
        if bool(self._point) != bool(self._comma):
            style = NumberStyle.POINT if self._point else NumberStyle.COMMA
        return StyleFinding(style, self._undecided, self._point, self._comma, self._example)


def infer_style(texts: Iterable[str]) -> StyleFinding:
    """The decimal sign of a whole column."""
    evidence = StyleEvidence()
    for text in texts:
        evidence.add(text)
    return evidence.finding()


def read_number(text: str, *, style: NumberStyle | None = None) -> Reading:
    """An exact number. Percent becomes a share (12.5% → 0.125) and says so in its hints.

    Where the column settles nothing, `1,234` is 1234 (thousands are grouped like that in English and
    Chinese); `1.234` alone is ambiguous.
    """
    match = _matched(text)
    if match is None or not _is_balanced(match):
        return bad("not-a-number", value=shown(text))
    digits = re.sub(r"[' _](?=\d)", "", match["digits"].strip())
    kind = _style_of(match["digits"].strip())
    if kind == "":
        return bad("not-a-number", value=shown(text))
    if kind == "either" and style is None and "." in digits:
        whole, broken = digits.replace(".", ""), digits
        params = {"value": shown(text), "first": whole, "second": broken}
        options = tuple(_finish(match, Decimal(number)) for number in (whole, broken))
        return Reading(Outcome.AMBIGUOUS, None, "number-ambiguous", params, options)
    if kind in ("point", "comma") and style and kind != style:
        return bad("not-a-number", value=shown(text))
    decimal_sign = "," if (kind == "comma" or (kind == "either" and style is NumberStyle.COMMA)) else "."
    plain = digits.replace("," if decimal_sign == "." else ".", "").replace(decimal_sign, ".")
    if len(plain.replace(".", "").lstrip("0")) > _MOST_DIGITS + 6 or abs(int(match["exponent"] or 0)) > 20:
        return bad("number-too-large", value=shown(text))
    number = _finish(match, Decimal(plain))
    if abs(number) >= Decimal(10) ** _MOST_DIGITS:
        return bad("number-too-large", value=shown(text))
    return read(number, *_hints(match))


def looks_like_number(text: str) -> bool:
    match = _matched(text)
    return match is not None and _style_of(match["digits"].strip()) != "" and _is_balanced(match)


def _matched(text: str) -> "re.Match[str] | None":
    if not text or len(text) > _LONGEST:
        return None
    return _SHAPE.fullmatch(unicodedata.normalize("NFKC", text.translate(_MINUS)).strip().casefold())


def _is_balanced(match: "re.Match[str]") -> bool:
    """Brackets come in pairs and signs alone."""
    signs = sum(1 for sign in (match["sign"], match["inner"], match["trailing"]) if sign)
    return bool(match["open"]) == bool(match["close"]) and signs <= 1


def _style_of(digits: str) -> str:
    """`none` without separators, `point`, `comma`, `either`, or nothing where the separators make no
    number."""
    bare = re.sub(r"[' _](?=\d{3}(?:\D|$))", "", digits)
    points, commas = bare.count("."), bare.count(",")
    if re.search(r"[' _]", bare):
        return ""
    if not points and not commas:
        return "none"
    if points and commas:
        sign, other = (".", ",") if bare.rfind(".") > bare.rfind(",") else (",", ".")
        whole = bare.split(sign, 1)[0]
        if bare.count(sign) > 1 or not re.fullmatch(rf"\d{{1,3}}(?:\{other}\d{{3}})+", whole):
            return ""
        return "point" if sign == "." else "comma"
    sign = "." if points else ","
    if bare.count(sign) > 1:
        return ("comma" if sign == "." else "point") if _GROUPED.fullmatch(bare) else ""
    whole, decimals = bare.split(sign)
    if len(decimals) == 3 and 1 <= len(whole) <= 3 and whole != "0" and not whole.startswith("0"):
        return "either"
    if len(digits) != len(bare):  # 1 234.5: the groups are set otherwise, so this is the decimal sign
        return "point" if sign == "." else "comma"
    return "point" if sign == "." else "comma"


def _finish(match: "re.Match[str]", number: Decimal) -> Decimal:
    if match["exponent"]:
        number = number.scaleb(int(match["exponent"]))
    if match["factor"]:
        number *= _FACTORS[match["factor"]]
    if match["percent"]:
        number /= 100 if match["percent"] == "%" else 1000
    signs = (match["sign"], match["inner"], match["trailing"])
    negative = bool(match["open"]) or "-" in signs
    # `normalize` alone would write 100 as 1E+2
    number = number.normalize()
    number = (
        number.quantize(Decimal(1)) if number == number.to_integral() and abs(number) < 10**25 else number
    )
    return -number if negative and number else number


def _hints(match: "re.Match[str]") -> list[str]:
    hints = []
    if symbol := match["before"] or match["after"]:
        hints.append(f"currency:{_CURRENCIES[symbol]}")
    if match["factor"]:
        hints.append(f"factor:{_FACTORS[match['factor']]}")
    if match["percent"]:
        hints.append("percent")
    if match["open"]:
        hints.append("negative-in-parentheses")
    return hints
