"""The one Jinja2 environment of all pages."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from django.templatetags.static import static
from django.urls import reverse
from django.utils import formats, timezone, translation
from jinja2 import Environment, FileSystemBytecodeCache, StrictUndefined

from fairlead.config.rooms import APPS, module_of


def gettext(text: str) -> str:
    """Django's, asked once for each text and language: a page says a hundred of them."""
    return _said(translation.get_language(), text)


@lru_cache(maxsize=8192)
def _said(_language: str | None, text: str) -> str:
    return str(translation.gettext(text))


def url(name: str, *args: Any, **kwargs: Any) -> str:
    return reverse(name, args=args or None, kwargs=kwargs or None)


def localtime(at: Any) -> Any:
    return timezone.localtime(at) if at is not None else None


def compiled_in(directory: Path) -> FileSystemBytecodeCache:
    """Templates are compiled once for all starts. A changed template has another checksum, so nothing gets old;
    the place is as private as the secret key beside it."""
    kept = directory / "compiled-templates"
    kept.mkdir(mode=0o700, exist_ok=True)
    return FileSystemBytecodeCache(str(kept))


def environment(**options: Any) -> Environment:
    """Strict and escaping; each room may add filters and globals in its `template_tools.py`."""
    options |= {
        "undefined": StrictUndefined, "autoescape": True, "trim_blocks": True, "lstrip_blocks": True,
        "extensions": ["jinja2.ext.i18n", "jinja2.ext.do", "jinja2.ext.loopcontrols"],
    }  # fmt: skip
    env = Environment(**options)  # noqa: S701 - autoescape stands in the options
    env.policies["ext.i18n.trimmed"] = True
    env.install_gettext_callables(  # type: ignore[attr-defined]
        gettext, translation.ngettext, newstyle=True,
        pgettext=translation.pgettext, npgettext=translation.npgettext,
    )  # fmt: skip
    env.globals.update(url=url, static=static, get_language=translation.get_language, now=timezone.now)
    env.filters.update(
        localtime=localtime, date_format=formats.date_format, number_format=formats.number_format
    )
    for room in APPS:
        if module := module_of(room, "template_tools"):
            tools = __import__(module, fromlist=["GLOBALS", "FILTERS"])
            env.globals.update(getattr(tools, "GLOBALS", {}))
            env.filters.update(getattr(tools, "FILTERS", {}))
    return env
