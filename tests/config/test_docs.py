"""The documents: every link leads somewhere, every page has its twin in the other language."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"")
#: One text for both languages: bilingual by itself, or for whoever reads code.
ONE_LANGUAGE = {"glossary.md", "benchmarks.md"}


@pytest.mark.rule("HOUSE-3")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_document_leads_to_a_file(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for found in _LINK.finditer(text):
        target = (found.group(1) or found.group(2)).partition("#")[0]
        if target and not re.match(r"[a-z]+:", target):
            assert (page.parent / target).exists(), f"{page.name} → {target}"


@pytest.mark.rule("HOUSE-3")
def test_every_document_has_its_twin_in_chinese() -> None:
    english = {p.relative_to(DOCS) for p in DOCS.rglob("*.md")} - {
        p.relative_to(DOCS) for p in (DOCS / "zh").rglob("*.md")
    }
    wanted = {p for p in english if p.name not in ONE_LANGUAGE and p.parts[0] not in ("decisions", "zh")}
    assert wanted == {p.relative_to(DOCS / "zh") for p in (DOCS / "zh").rglob("*.md")}


@pytest.mark.rule("HOUSE-3")
def test_both_readmes_show_the_product_and_name_the_licence() -> None:
    for name, other in (("README.md", "README.zh-CN.md"), ("README.zh-CN.md", "README.md")):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert other in text and "start.py" in text and "Apache" in text
        assert len(re.findall(r"docs/images/[\w-]+\.png", text)) >= 3
    assert "Apache License" in (ROOT / "LICENSE").read_text(encoding="utf-8")
