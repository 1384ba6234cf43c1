"""What a list shows of its saved views: which there are, which one this is, and whether it was changed since."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from fairlead.common.refusals import NotFound

from .. import services
from ..lists import ListPage
from ..models import SavedView
from ..selectors.views import STATE, Meaning, first_of, is_changed, meaning_of, views_of


@dataclass(slots=True)
class Views:
    """The saved views around one list. `leads_to`: the address in which the asked one is written out."""

    found: ListPage
    all: list[SavedView]
    current: SavedView | None = None
    meaning: Meaning | None = None
    leads_to: str = ""
    user: Any = None

    @classmethod
    def of(cls, request: HttpRequest, found: ListPage) -> Views:
        """Raises NotFound for a view that the reader does not see, when the address says no more than that."""
        user: Any = request.user
        views = cls(found, views_of(found.kind.kind, user), user=user)
        first = first_of(views.all, user)
        found.opens_with_view = first is not None
        wanted = request.GET.get("view", "")
        says_state = any(name in request.GET for name in STATE)
        if wanted:
            views.current = next((v for v in views.all if str(v.pk) == wanted), None)
            if views.current is None and not says_state:
                raise NotFound
        elif first is not None and not request.GET:
            views.current = first
        if views.current is None:
            return views
        views.meaning = meaning_of(views.current, found.kind, found.fields)
        found.view_id = views.current.pk
        if not says_state:
            views.leads_to = views.url_of(views.current)
        return views

    @property
    def name(self) -> str:
        return self.current.name if self.current is not None else _("All")

    @property
    def own(self) -> list[SavedView]:
        return [view for view in self.all if view.owner_id == self.user.pk]

    @property
    def shared(self) -> list[SavedView]:
        return [view for view in self.all if view.owner_id != self.user.pk]

    @property
    def is_changed(self) -> bool:
        """Whether the list differs from its view, or, without one, from the plain list."""
        if self.meaning is not None:
            return is_changed(self.found, self.meaning)
        plain = {"q": "", "filter": "", "sort": self.found.kind.default_sort, "cols": ""}
        return self.found.state() != plain

    @property
    def may_update(self) -> bool:
        return self.current is not None and services.may_change(self.current, self.user)

    @property
    def may_share(self) -> bool:
        return bool(self.user.may("views.share"))

    @property
    def left_out(self) -> int:
        """How much of the view this reader does not get; said while the list is as the view has it."""
        return self.meaning.left_out if self.meaning is not None and not self.is_changed else 0

    @property
    def all_url(self) -> str:
        """The plain list, also where the bare address opens a view."""
        query = f"?{urlencode({'sort': self.found.kind.default_sort})}" if self.found.opens_with_view else ""
        return f"{self.found.url}{query}"

    def url_of(self, view: SavedView) -> str:
        """The list as the view has it, written out, so that the address holds the state."""
        params = {"view": view.pk} | meaning_of(view, self.found.kind, self.found.fields).params()
        return f"{self.found.url}?{urlencode({k: v for k, v in params.items() if v != ''})}"

    def link(self, view: SavedView) -> str:
        return f"{self.found.url}?view={view.pk}"
