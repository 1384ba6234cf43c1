"""Whether a page speaks one language only."""

import re
from functools import cache
from typing import TYPE_CHECKING, Final

from fairlead.config import messages
from fairlead.config.rooms import ROOMS

if TYPE_CHECKING:
    from playwright.sync_api import Page

#: Latin words that a Chinese page may hold: names, formats, keys, abbreviations of the trade.
LATIN: Final = frozenset(
    [
        *(
            "Fairlead",
            "API",
            "CSV",
            "TSV",
            "XLSX",
            "YAML",
            "JSON",
            "UTF",
            "GB",
            "MB",
            "kB",
            "ID",
            "URL",
            "PDF",
        ),
        *(
            "HTTP",
            "HTMX",
            "DuckDB",
            "English",
            "Ctrl",
            "Esc",
            "Enter",
            "Shift",
            "Tab",
            "Alt",
            "AR",
            "SR",
            "FR",
        ),
        *("EB", "BANT", "MEDDPICC", "LTC", "ATI", "ATB", "ATC", "TOTP"),
    ]
)
_WORD: Final = re.compile(r"[A-Za-z]{2,}")
#: Text that can be seen, and what is read out instead of it; code and names of keys are nobody's language.
TEXTS: Final = """() => {
  const found = new Set();
  const skip = "script, style, noscript, template, code, pre, kbd, [lang], datalist";
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim().replace(/\\s+/g, " ");
    if (text && !walker.currentNode.parentElement.closest(skip)) found.add(text);
  }
  for (const name of ["aria-label", "title", "placeholder", "aria-description", "alt"]) {
    for (const element of document.querySelectorAll("[" + name + "]")) {
      if (!element.closest(skip)) found.add(element.getAttribute(name).trim());
    }
  }
  found.add(document.title);
  return [...found];
}"""


@cache
def said() -> tuple[frozenset[str], frozenset[str]]:
    """Everything the product says: in English where the Chinese differs, and in Chinese."""
    english: set[str] = set()
    chinese: set[str] = set()
    for room in ROOMS:
        known = messages.read(room)
        for message in messages.extracted(room):
            if not message.id:
                continue
            ids = message.id if isinstance(message.id, tuple) else (message.id,)
            entry = known.get(message.id, message.context)
            strings = entry.string if entry is not None else ""
            texts = strings if isinstance(strings, (tuple, list)) else (strings,)
            english |= {text for text in ids if text not in texts and _WORD.search(text)}
            chinese |= {text for text in texts if text and text not in ids}
    return frozenset(english), frozenset(chinese)


def foreign_words(page: "Page", language: str, known: frozenset[str] = frozenset()) -> list[str]:
    """Texts in the other language: in a Chinese page any Latin word but those of `LATIN` and `known`."""
    english, chinese = said()
    texts: list[str] = page.evaluate(TEXTS)
    if language == "en":
        return [text for text in texts if text in chinese]
    return [
        text for text in texts
        if text in english or any(w not in LATIN and w.lower() not in known for w in _WORD.findall(text))
    ]  # fmt: skip
