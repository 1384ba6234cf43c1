"""The first run: two calm steps, then a signed-in administrator. Gone as soon as anybody is here."""

from django.contrib.auth import login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from fairlead.common.access import access
from fairlead.common.pages import page
from fairlead.common.refusals import Invalid
from fairlead.organisation import registry, services
from fairlead.organisation.enums import ProcessTemplate
from fairlead.organisation.forms import AdministratorForm, PlaceForm, add_refusal, first_guess
from fairlead.organisation.views.pending import bare_context

_BACKEND = "fairlead.organisation.backends.PasswordBackend"


@access("public")
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def first_run(request: HttpRequest) -> HttpResponse:
    """Step 1 travels through step 2 in hidden fields: nothing is stored before the end, back keeps all."""
    if services.is_set_up():
        raise Http404
    if request.method != "POST":
        if any(are_coming() for are_coming in registry.PEOPLE_ARE_COMING):
            return page(request, "organisation/people_coming.html", bare_context(request))
        guess = first_guess(get_language() or "")
        return _step(request, 1, PlaceForm(initial=guess), AdministratorForm(), 200)
    place = PlaceForm(request.POST)
    wish = request.POST.get("step", "1")
    if wish == "back":
        return _step(request, 1, PlaceForm(initial=request.POST.dict()), _unchecked(request), 200)
    if not place.is_valid():
        return _step(request, 1, place, _unchecked(request), 422)
    if wish != "2":
        return _step(request, 2, place, _unchecked(request), 200)
    person = AdministratorForm(request.POST)
    if not person.is_valid():
        return _step(request, 2, place, person, 422)
    try:
        values = dict(place.cleaned_data)
        data = values.pop("begin_with")
        admin = services.set_up(**values, **person.cleaned_data, at=timezone.now())
    except Invalid as refusal:
        add_refusal(person, refusal)
        return _step(request, 2, place, person, 422)
    except services.AlreadySetUp:
        return redirect("organisation:sign_in")
    login(request, admin, backend=_BACKEND)
    return redirect(registry.FIRST_DATA[data][1]) if data else redirect("/")


def _unchecked(request: HttpRequest) -> AdministratorForm:
    """What was typed into step 2 so far, without complaints about what is still empty."""
    return AdministratorForm(initial={name: request.POST.get(name, "") for name in ("name", "username")})


def _step(
    request: HttpRequest, step: int, place: PlaceForm, person: AdministratorForm, status: int
) -> HttpResponse:
    stages = registry.STAGES_OF_TEMPLATE
    pictures = [(label, stages[0](key)) for key, label in ProcessTemplate.choices] if stages else []
    context = bare_context(request, step=step, place=place, person=person, pictures=pictures)
    return page(request, "organisation/first_run.html", context, status=status)
