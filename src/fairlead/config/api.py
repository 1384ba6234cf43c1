"""The API: the same rooms through a second door. A room fills it with the `router` of its `api.py`."""

from importlib import import_module
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation
from ninja.parser import Parser
from ninja.security import HttpBearer, SessionAuth
from ninja.utils import check_csrf

from fairlead import __version__
from fairlead.common.errors import problem
from fairlead.common.middleware import TooLarge
from fairlead.common.refusals import NotFound, NotPermitted, NotSignedIn, Refusal
from fairlead.common.rest import BadInput, Problem, loads, refuse_unknown
from fairlead.config.rooms import APPS, module_of
from fairlead.organisation.enums import KeyScope
from fairlead.organisation.models import User
from fairlead.organisation.services.keys import authenticate_api_key
from fairlead.organisation.viewing import OnlyLooking
from fairlead.process.answers import gate_problem
from fairlead.process.refusals import GateRefused

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
PREFIX = "/api/v1/"

DESCRIPTION = """\
The same records, the same rules and the same refusals as on the pages.

Sign in with a key, `Authorization: Bearer fl_…` (made on one's profile page; it has scopes and an end), or with the
session of the pages and its CSRF token. Every refusal is a problem document of RFC 9457 with a stable `code`.
A change names the version that it changes in `If-Match`, as the `ETag` of the read said it.
"""

#: Every no of the API, declared once; an operation names those that it can give.
ANSWERS: dict[int, tuple[str, str]] = {
    400: ("BadInput", "`bad-input`: the shape is not the declared one; `errors` names the places."),
    401: ("NotSignedIn", "`not-signed-in`: no key and no session, or a key that has ended."),
    403: ("NotPermitted", "`not-permitted`: the right is missing, or the key's scope for it. `csrf-failed`."),
    404: ("NotFound", "`not-found`: not here, or not for this reader; both look the same."),
    409: ("LostRace", "`lost-race`: somebody else moved it first; the members say how it stands now."),
    412: (
        "Stale",
        "`stale-version`: If-Match, or the body, names an older version; `version` and `conflicts` say what changed.",
    ),
    413: ("TooLarge", "`too-large`: more than 10 MB, or a file of more than 20 MB."),
    422: (
        "Refused",
        "`invalid`: values that cannot be stored, in `errors`. `gate-refused`: every gap of the gate, in `gaps`. "
        "`move-impossible`, `waiver-refused`, `attestation-refused`, `cannot-publish`: see `title`.",
    ),
    428: ("VersionNeeded", "`precondition-required`: a change names its version in If-Match."),
}


class KeyAuth(HttpBearer):
    """`Authorization: Bearer fl_…`: the key's owner, narrowed to the key's scopes."""

    def authenticate(self, request: HttpRequest, token: str) -> User | None:
        user = authenticate_api_key(token, at=timezone.now())
        if user is None or user.api_key is None:
            return None
        request.user = user
        # The middleware that undoes both stands around every request.
        translation.activate(user.language)
        timezone.activate(user.tz)
        if request.method not in SAFE and set(user.api_key.scopes) <= {KeyScope.READ.value}:
            raise NotPermitted(details={"scope": KeyScope.WRITE.value})
        return user


class PageAuth(SessionAuth):
    """The person who has signed in on the pages; their writes carry the CSRF token."""

    def __call__(self, request: HttpRequest) -> User | None:
        user = request.user
        if not isinstance(user, User) or not user.is_authenticated:
            return None
        if getattr(request, "viewing", None) is not None and request.method not in SAFE:
            raise OnlyLooking
        if check_csrf(request):
            raise NotPermitted(_("The CSRF token is missing or wrong."), code="csrf-failed")
        if user.must_change_password:
            raise NotPermitted(_("Choose a password of your own first."), code="password-change-required")
        if user.second_step_due:
            raise NotPermitted(_("Set up two-step sign-in first."), code="second-step-required")
        return user


class StrictParser(Parser):
    """JSON without the liberties that Python's reader takes."""

    def parse_body(self, request: HttpRequest) -> Any:
        return loads(request.body)


class Door(NinjaAPI):
    """Ninja with one declaration of all refusals, and strict about parameters."""

    def create_temporal_response(self, request: HttpRequest) -> HttpResponse:
        return _spoken(super().create_temporal_response(request))

    def on_exception(self, request: HttpRequest, exc: Any) -> HttpResponse:
        """An answered refusal lets go of the frames that it went through: they hold it as well, and with it a body of
        megabytes, until the collector comes by."""
        answer = super().on_exception(request, exc)
        exc.__traceback__ = None
        return answer

    def validation_error_from_error_contexts(self, error_contexts: Any) -> Any:
        error = super().validation_error_from_error_contexts(error_contexts)
        for context in error_contexts:
            context.pydantic_validation_error.__traceback__ = None
        return error

    def get_openapi_schema(self, **kwargs: Any) -> OpenAPISchema:
        document = super().get_openapi_schema(**kwargs)
        schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        document["components"]["schemas"].update(schema.pop("$defs", {}))
        document["components"]["schemas"]["Problem"] = schema
        document["components"]["responses"] = {
            name: {
                "description": text,
                "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
            }
            for name, text in ANSWERS.values()
        }
        for path, methods in document["paths"].items():
            for method, details in methods.items():
                for status in refusals_of(path, method, details):
                    details["responses"].setdefault(
                        status, {"$ref": f"#/components/responses/{ANSWERS[status][0]}"}
                    )
        return document


def refusals_of(path: str, method: str, details: dict[str, Any]) -> list[int]:
    """Which noes an operation can give, by its shape."""
    found = {400, 401, 403}
    if "{" in path:
        found.add(404)
    if "requestBody" in details or method in {"post", "put", "patch", "delete"}:
        found |= {404, 409, 413, 422}
    if any(p["name"] == "If-Match" for p in details.get("parameters", ())):
        found |= {412, 428}
    if {p["name"] for p in details.get("parameters", ())} & {"process", "subject", "subject_type"}:
        found.add(404)
    return sorted(found)


api = Door(
    title="Fairlead",
    version=__version__,
    description=DESCRIPTION,
    urls_namespace="api",
    auth=[KeyAuth(), PageAuth()],
    parser=StrictParser(),
    docs_url=None,
    openapi_url=None,
)


def _problem(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    return _spoken(problem(refusal, getattr(request, "request_id", "")))


def _spoken(response: Any) -> Any:
    """Name the language of the answer: with a key it is that of the key's owner."""
    response.headers["Content-Language"] = translation.get_language() or "en"
    return response


@api.exception_handler(Refusal)
def refused(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    if isinstance(refusal, GateRefused):
        refusal.details = gate_problem(refusal)
    return _problem(request, refusal)


@api.exception_handler(ValidationError)
def badly_shaped(request: HttpRequest, error: ValidationError) -> HttpResponse:
    errors = [{"field": _place(one["loc"]), "message": one["msg"]} for one in error.errors]
    return _problem(request, BadInput(_("The request does not have the declared shape."), errors=errors))


@api.exception_handler(AuthenticationError)
def not_signed_in(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    response = _problem(request, NotSignedIn())
    response.headers["WWW-Authenticate"] = 'Bearer realm="Fairlead"'
    return response


@api.exception_handler(Http404)
def not_found(request: HttpRequest, error: Http404) -> HttpResponse:
    return _problem(request, NotFound())


@api.exception_handler(RequestDataTooBig)
def too_large(request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
    return _problem(request, TooLarge())


@api.exception_handler(HttpError)
def http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    if isinstance(error.__cause__, Refusal):  # what the parser said
        return _problem(request, error.__cause__)
    refusal = Refusal(str(error), code="bad-request")
    refusal.status = error.status_code
    return _problem(request, refusal)


def _place(location: Any) -> str:
    """`body.payload.amount` as a person would say it: `amount`."""
    parts = [str(part) for part in location]
    return ".".join(parts[2:] if parts[:1] == ["body"] and len(parts) > 2 else parts[1:] or parts)


def _strict(operation: Operation) -> None:
    """After the right was asked and before the input is read: parameters that nobody declared are refused."""
    declared = {
        name
        for model in operation.models
        if model.__ninja_param_source__ == "query"
        for name in getattr(model, "__ninja_flatten_map__", {})
    }
    checks = operation._run_checks

    def run_checks(request: HttpRequest) -> Any:
        if (refused := checks(request)) is not None:
            return refused
        try:
            refuse_unknown(request, declared)
        except Refusal as refusal:
            return operation.api.on_exception(request, refusal)
        return None

    operation._run_checks = run_checks  # type: ignore[method-assign]


for room in APPS:
    if room != "config" and (module := module_of(room, "api")):
        api.add_router("", import_module(module).router)
for bound in api._get_bound_routers():
    for view in bound.path_operations.values():
        for operation in view.operations:
            _strict(operation)
