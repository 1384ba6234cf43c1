"""Who may open a route. Deny is the rule: a route without a declaration stops the start-up checks.

    @access("public")              anybody
    @access("signed-in")           anybody who has signed in
    @access("opportunity.view")    whoever has that right over at least some rows

The declaration opens the door; which rows lie behind it is decided by `visible_to(user)`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial, wraps
from typing import Any, TypeVar

from django.core.checks import CheckMessage, Error
from django.http import HttpRequest
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RoutePattern

from fairlead.common.refusals import NotPermitted, NotSignedIn

View = TypeVar("View", bound=Callable[..., Any])

PUBLIC = "public"
SIGNED_IN = "signed-in"
#: Everybody holds it; of a key it asks the scope to read.
READING = "process.view"
TAG = "access"


@dataclass(frozen=True, slots=True)
class Access:
    """The declaration of one route: `public`, `signed-in` or the name of a right."""

    needs: str
    api: bool = False
    reads: bool = False

    def check(self, request: HttpRequest) -> None:
        """Raise NotSignedIn or NotPermitted where the request may not pass."""
        if self.needs == PUBLIC:
            return
        user: Any = request.user
        if not user.is_authenticated:
            raise NotSignedIn
        if self.reads and not user.may(READING):
            raise NotPermitted(details={"right": READING})
        if self.needs != SIGNED_IN and not (user.holds if self.reads else user.may)(self.needs):
            raise NotPermitted(details={"right": self.needs})


@dataclass(frozen=True, slots=True)
class Route:
    """One address of the product: a page's view, or one operation of the API."""

    pattern: str
    name: str
    view: Callable[..., Any]
    access: Access | None
    methods: tuple[str, ...] = ()


class Deferred(URLResolver):
    """Addresses under a prefix and a namespace, loaded when one of them is asked for.

    Django would load them for the first page of any kind, to learn their names; here the names stay behind
    the namespace until somebody reverses one.
    """

    def __init__(self, prefix: str, module: str, *, namespace: str) -> None:
        super().__init__(
            RoutePattern(prefix, is_endpoint=False), module, app_name=namespace, namespace=namespace
        )

    @property
    def is_loaded(self) -> bool:
        return "urlconf_module" in self.__dict__

    def _populate(self) -> None:
        if self.is_loaded:
            super()._populate()


def access(needs: str, *, api: bool = False, reads: bool = False) -> Callable[[View], View]:
    """Declare and enforce who may call a view. `api=True` is for the operations of django-ninja.

    `reads=True`: the person needs the right, but a key only the scope to read: nothing is done with the right here.
    """
    rule = Access(needs, api, reads)

    def declare(view: View) -> View:
        if api:
            view.access = rule  # type: ignore[attr-defined]
            callbacks = [*getattr(view, "_ninja_contribute_to_operation", ()), _guard_operation(rule)]
            view._ninja_contribute_to_operation = callbacks  # type: ignore[attr-defined]
            return view

        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            rule.check(request)
            return view(request, *args, **kwargs)

        guarded.access = rule  # type: ignore[attr-defined]
        return guarded  # type: ignore[return-value]

    return declare


def _guard_operation(rule: Access) -> Callable[[Any], None]:
    """Ask after the key was read and before the input is: a stranger learns nothing about the schema."""

    def guard(run: Any) -> Any:
        operation = run.__self__
        authenticate = operation._run_checks

        def checks(request: HttpRequest) -> Any:
            if (refused := authenticate(request)) is not None:
                return refused
            try:
                rule.check(request)
            except (NotPermitted, NotSignedIn) as refusal:
                return operation.api.on_exception(request, refusal)
            return None

        operation._run_checks = checks
        return run

    def contribute(operation: Any) -> None:
        operation._run_decorators = [*getattr(operation, "_run_decorators", ()), guard]
        operation.run = guard(operation.run)

    return contribute


def routes(
    patterns: list[Any] | None = None, prefix: str = "", names: str = "", *, deferred: bool = True
) -> Iterator[Route]:
    """Every route of the product, whatever built it; without `deferred` ones only what pages need."""
    for entry in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(entry, Deferred) and not deferred:
            continue
        pattern = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            inner = f"{names}{entry.namespace}:" if entry.namespace else names
            yield from routes(entry.url_patterns, pattern, inner)
        elif isinstance(entry, URLPattern):
            yield from _routes_of(entry, pattern, names)


def _routes_of(entry: URLPattern, pattern: str, names: str) -> Iterator[Route]:
    view: Any = entry.callback
    name = names + (entry.name or "")
    if isinstance(view, partial) and _where(view.func) == "ninja.openapi.views.default_home":
        yield Route(pattern, name, view.func, Access(PUBLIC))  # the root of an API: 404 for everybody
        return
    if operations := _operations(view):
        for operation in operations:
            declared = getattr(operation.view_func, "access", None)
            yield Route(pattern, name, operation.view_func, declared, tuple(operation.methods))
    else:
        yield Route(pattern, name, view, getattr(view, "access", None))


def _operations(view: Any) -> list[Any]:
    """The operations behind a path of django-ninja, whose one view serves several methods."""
    for cell in getattr(view, "__closure__", None) or ():
        operations = getattr(cell.cell_contents, "operations", None)
        if isinstance(operations, list):
            return operations
    return list(getattr(getattr(view, "__self__", None), "operations", None) or ())


def _where(view: Callable[..., Any]) -> str:
    return f"{view.__module__}.{getattr(view, '__qualname__', type(view).__name__)}"


def check_access(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """One error for each route that nobody declared (the start-up check with the tag `access`)."""
    return [
        Error(
            f"The route /{route.pattern} ({_where(route.view)}) does not say who may open it.",
            hint='Put @access("public"), @access("signed-in") or @access("<right>") on the view.',
            id="fairlead.access.E001",
        )
        for route in routes()
        if route.access is None
    ]
