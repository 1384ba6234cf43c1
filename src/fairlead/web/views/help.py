"""Help, the versions and licences of what is inside, and the components that pages are built of."""

from functools import lru_cache
from importlib.metadata import distributions
from importlib.resources import files
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from fairlead import __version__
from fairlead.common.access import access
from fairlead.common.pages import page
from fairlead.common.refusals import NotFound
from fairlead.web.guides import drawn, guides
from fairlead.web.navigation import CREATE, GROUPS, doors


@access("signed-in")
@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """First steps, shortcuts and words; everything is in the package, nothing is fetched."""
    user: Any = request.user
    content = help_content()
    language = "zh" if (get_language() or "").startswith("zh") else "en"
    going = [door for _label, items in GROUPS for door in doors(items, user) if door.item.shortcut]
    context = {
        "guides": list(guides(language).values()),
        "language": language, "topics": content["topics"], "terms": content["terms"], "keys": content["keys"],
        "going": going, "may_create": bool(doors(CREATE, user)),
    }  # fmt: skip
    return page(request, "web/help.html", context)


@access("signed-in")
@require_safe
def guide(request: HttpRequest, key: str) -> HttpResponse:
    """One document of the product, in the reader's language where there is one, or `in` the other one."""
    wanted = request.GET.get("in", "")
    language = wanted if wanted in ("zh", "en") else "zh" if (get_language() or "").startswith("zh") else "en"
    known = guides(language)
    found = known.get(key)
    if found is None:
        raise NotFound
    context = {"guide": found, "drawn": drawn(found), "guides": list(known.values())}
    return page(request, "web/guide.html", context)


@access("signed-in")
@require_safe
def about(request: HttpRequest) -> HttpResponse:
    return page(
        request,
        "web/about.html",
        {"version": __version__, "browser_files": _licences(), "packages": _packages()},
    )


@access("settings.manage")
@require_safe
def styleguide(request: HttpRequest) -> HttpResponse:
    return page(request, "common/styleguide.html")


@lru_cache(maxsize=1)
def help_content() -> Any:
    from ruamel.yaml import YAML  # loaded when first needed

    text = files("fairlead.web").joinpath("content", "help.yaml").read_text(encoding="utf-8")
    return YAML(typ="safe", pure=True).load(text)


def glossary(key: str) -> dict[str, str] | None:
    """What a word means, by its English form; nothing where the help does not have it."""
    language = "zh" if (get_language() or "").startswith("zh") else "en"
    for number, term in enumerate(help_content()["terms"]):
        if term["en"] == key:
            return {
                "id": str(number), "word": term[language], "means": term["means"][language],
                "url": reverse("web:help") + "#words",
            }  # fmt: skip
    return None


@lru_cache(maxsize=1)
def _licences() -> list[tuple[str, str]]:
    """The licence of each thing that the pages load, as it came with it."""
    folder = files("fairlead.common").joinpath("static", "vendor", "licences")
    if not folder.is_dir():
        return []
    found = [file for file in folder.iterdir() if file.name.endswith(".txt")]
    return sorted(
        (file.name.removesuffix(".txt"), file.read_bytes().decode(errors="replace")) for file in found
    )


@lru_cache(maxsize=1)
def _packages() -> list[tuple[str, str, str]]:
    """Name, version and licence of each installed Python package."""
    found: dict[str, tuple[str, str, str]] = {}
    for package in distributions():
        meta: Any = package.metadata
        name = meta["Name"]
        if not name:
            continue
        classified = [
            c.rpartition(" :: ")[2] for c in meta.get_all("Classifier") or () if c.startswith("License ::")
        ]
        licence = (
            meta["License-Expression"]
            or " / ".join(classified)
            or (meta["License"] or "").split("\n")[0][:60]
        )
        found[name.lower()] = (name, package.version, licence)
    return [found[key] for key in sorted(found)]
