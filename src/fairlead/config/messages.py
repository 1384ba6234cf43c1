"""The catalogues of words: one per room, English in the code, Chinese in the catalogue.

`compile` needs only Babel, so that start.py can call this module before any setting exists.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from fairlead.config.rooms import PACKAGE, ROOMS

LOCALE = "zh_Hans"
WORDS_OF_PYTHON: dict[str, Any] = {
    **DEFAULT_KEYWORDS,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext_lazy": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
# An example page of the components is no page of the product.
METHODS = [
    ("**/migrations/**", "ignore"),
    ("**/examples/**", "ignore"),
    ("**.py", "python"),
    ("**.html", "jinja2"),
]
OPTIONS = {"**.html": {"trimmed": "true", "newstyle_gettext": "true", "silent": "false"}}
# No dates and no names: a catalogue changes only when its words do.
HEADER = """\
# The words of the room {room}, in Chinese.
msgid ""
msgstr ""
"Language: zh_Hans\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=1; plural=0;\\n"

"""
_PLACEHOLDER = re.compile(r"%\((\w+)\)[sdf]|%[sd]")


def main(argv: list[str]) -> int:
    action, rooms = (argv[0] if argv else ""), argv[1:] or list(ROOMS)
    if action == "update":
        for room in rooms:
            update(room)
        return 0
    if action == "compile":
        compile_all(rooms)
        return 0
    if action == "check":
        found = [problem for room in rooms for problem in problems(room)] + disagreements()
        print("\n".join(found) or "Every word is translated.")  # noqa: T201
        return 1 if found else 0
    print("fairlead messages update|compile|check [ROOM …]", file=sys.stderr)  # noqa: T201
    return 2


def catalogue_of(room: str) -> Path:
    return PACKAGE / room / "locale" / LOCALE / "LC_MESSAGES" / "django.po"


def extracted(room: str) -> Catalog:
    """What the code and the templates of a room say."""
    catalog = Catalog(locale=LOCALE, charset="utf-8")
    if not (PACKAGE / room).is_dir():
        return catalog
    found = extract_from_dir(
        str(PACKAGE / room), METHODS, OPTIONS, keywords=WORDS_OF_PYTHON, comment_tags=("Translators:",)
    )
    for name, _line, message, comments, context in found:
        place = f"src/fairlead/{room}/{name}".replace("\\", "/")
        catalog.add(message, None, [(place, None)], auto_comments=comments, context=context)  # type: ignore[list-item]
    return catalog


def read(room: str) -> Catalog:
    path = catalogue_of(room)
    if not path.exists():
        return Catalog(locale=LOCALE, charset="utf-8")
    with path.open("rb") as file:
        return read_po(file, locale=LOCALE)


def update(room: str) -> None:
    """Bring the room's catalogue up to its code: new words come in empty, unused ones leave."""
    said, known = extracted(room), read(room)
    if not list(_messages(said)) and not catalogue_of(room).exists():
        return
    fresh = Catalog(locale=LOCALE, charset="utf-8", fuzzy=False)
    for message in _messages(said):
        before = known.get(message.id, message.context)
        fresh.add(
            message.id,
            before.string if before is not None else None,
            sorted(set(message.locations)),
            flags=[flag for flag in message.flags if flag != "fuzzy"],
            auto_comments=message.auto_comments,
            user_comments=before.user_comments if before is not None else (),
            context=message.context,
        )
    path = catalogue_of(room)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(HEADER.format(room=room).encode())
        write_po(
            file,
            fresh,
            width=110,
            sort_output=True,
            include_lineno=False,
            ignore_obsolete=True,
            omit_header=True,
        )


def compile_all(rooms: list[str] | tuple[str, ...] = ROOMS) -> None:
    """Write the .mo beside each .po, where it is not newer already."""
    for path in map(catalogue_of, rooms):
        target = path.with_suffix(".mo")
        if path.exists() and not (target.exists() and target.stat().st_mtime >= path.stat().st_mtime):
            with path.open("rb") as source:
                catalog = read_po(source, locale=LOCALE)
            fresh = target.with_suffix(".mo-new")
            with fresh.open("wb") as file:
                write_mo(file, catalog)
            fresh.replace(target)


def problems(room: str) -> list[str]:
    """One line for each word that is missing, empty, fuzzy, unused, or loses a placeholder."""
    known, said = read(room), extracted(room)
    found = []
    for message in _messages(said):
        entry = known.get(message.id, message.context)
        if entry is None:
            found.append(f"{room}: not in the catalogue: {_short(message)}")
    for entry in _messages(known):
        texts = entry.string if isinstance(entry.string, (tuple, list)) else (entry.string,)
        if entry.fuzzy:
            found.append(f"{room}: fuzzy: {_short(entry)}")
        if not all(texts):
            found.append(f"{room}: not translated: {_short(entry)}")
        elif any(not _placeholders(text or "") <= _placeholders(_last(entry)) for text in texts):
            found.append(f"{room}: another placeholder: {_short(entry)}")
        if said.get(entry.id, entry.context) is None:
            found.append(f"{room}: not used: {_short(entry)}")
    return found


def disagreements() -> list[str]:
    """One line for each word that two rooms translate differently.

    Django reads all catalogues into one: of two translations only one is ever seen, in both rooms. Where the
    meanings differ the word needs a context (`pgettext`), where they do not it needs one translation.
    """
    said: dict[tuple[Any, str | None], dict[Any, str]] = {}
    for room in ROOMS:
        for entry in _messages(read(room)):
            texts = tuple(entry.string) if isinstance(entry.string, (tuple, list)) else entry.string
            key = tuple(entry.id) if isinstance(entry.id, (tuple, list)) else entry.id
            said.setdefault((key, entry.context), {}).setdefault(texts, room)
    found = []
    for (key, _context), ways in said.items():
        if len(ways) > 1:
            word = key[0] if isinstance(key, tuple) else key
            each = ", ".join(f"{room} {text!r}" for text, room in ways.items())
            found.append(f"two translations, of which one is never seen: “{word[:70]}”: {each}")
    return found


def _messages(catalog: Catalog) -> Iterator[Message]:
    return (message for message in catalog if message.id)


def _last(message: Message) -> str:
    return message.id[-1] if isinstance(message.id, (tuple, list)) else message.id


def _short(message: Message) -> str:
    text = message.id[0] if isinstance(message.id, (tuple, list)) else message.id
    where = f" ({message.locations[0][0]})" if message.locations else ""
    return f"“{text[:70]}”{where}"


def _placeholders(text: str) -> set[str]:
    return {match.group(0) for match in _PLACEHOLDER.finditer(text)}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
