"""Input from people. What may be stored is decided by the services; a form asks and gives it back."""

from datetime import timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from fairlead.common.refusals import Invalid
from fairlead.organisation import registry
from fairlead.organisation.enums import KeyScope, Language, ProcessTemplate, Role, Theme
from fairlead.organisation.models import Organisation, Team, User, WorkingCalendar

CURRENCIES = ("CNY", "HKD", "TWD", "USD", "EUR", "GBP", "JPY", "SGD", "AUD", "CAD", "CHF", "KRW", "INR")
PASSWORD_LIMIT = 1024


@lru_cache(maxsize=1)
def time_zones() -> tuple[tuple[str, str], ...]:
    return tuple((name, name.replace("_", " ")) for name in sorted(available_timezones()) if "/" in name)


def add_refusal(form: forms.Form, refusal: Invalid) -> None:
    """Put the errors of a service beside the fields they speak of."""
    for error in refusal.details["errors"] or [{"field": "", "message": str(refusal)}]:
        form.add_error(error["field"] if error["field"] in form.fields else None, error["message"])


def _password(label: Any, autocomplete: str, **kwargs: Any) -> forms.CharField:
    widget = forms.PasswordInput(attrs={"autocomplete": autocomplete})
    return forms.CharField(label=label, widget=widget, strip=False, max_length=PASSWORD_LIMIT, **kwargs)


class SignInForm(forms.Form):
    username = forms.CharField(
        label=_("User name"),
        max_length=254,
        widget=forms.TextInput(
            attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )
    password = _password(_("Password"), "current-password")


def _code(**kwargs: Any) -> forms.CharField:
    return forms.CharField(
        label=pgettext_lazy("second step", "Code"),
        max_length=40,
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "autocapitalize": "none", "spellcheck": "false"}
        ),
        **kwargs,
    )


class CodeForm(forms.Form):
    code = _code(help_text=_("Six digits from your device, or a recovery code."))


class PlaceForm(forms.Form):
    """Step 1 of the first run: where this organisation lives and how it works."""

    organisation_name = forms.CharField(label=_("Company"), max_length=100, required=False)
    language = forms.ChoiceField(label=_("Language"), choices=Language.choices)
    time_zone = forms.ChoiceField(label=_("Time zone"), choices=time_zones)
    currency = forms.ChoiceField(label=_("Currency"), choices=[(code, code) for code in CURRENCIES])
    template = forms.ChoiceField(
        label=_("Sales process"), choices=ProcessTemplate.choices, widget=forms.RadioSelect
    )
    begin_with = forms.ChoiceField(
        label=_("Begin with"), choices=lambda: first_data(), widget=forms.RadioSelect, required=False
    )


def first_data() -> list[tuple[str, Any]]:
    return [
        ("", pgettext_lazy("to begin with", "Nothing yet")),
        *((key, words) for key, (words, _route) in registry.FIRST_DATA.items()),
    ]


class AdministratorForm(forms.Form):
    """Step 2 of the first run: the first administrator."""

    name = forms.CharField(
        label=pgettext_lazy("of a person", "Name"),
        max_length=100,
        widget=forms.TextInput({"autocomplete": "name"}),
    )
    username = forms.CharField(
        label=_("User name"),
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none"}),
    )
    password = _password(
        _("Password"), "new-password", help_text=_("At least 8 characters, not a common one.")
    )


class VersionedForm(forms.Form):
    """A form over a stored row carries the version that its reader saw."""

    version = forms.IntegerField(widget=forms.HiddenInput)


class PreferencesForm(VersionedForm):
    language = forms.ChoiceField(label=_("Language"), choices=Language.choices)
    theme = forms.ChoiceField(label=_("Theme"), choices=Theme.choices)
    time_zone = forms.ChoiceField(label=_("Time zone"), choices=time_zones)


class PasswordForm(forms.Form):
    current = _password(_("Current password"), "current-password")
    password = _password(
        _("New password"), "new-password", help_text=_("At least 8 characters, not a common one.")
    )


class SecondStepForm(forms.Form):
    """Confirm, renew, switch off: each asks for both."""

    current = _password(_("Current password"), "current-password")
    code = _code()


class ApiKeyForm(forms.Form):
    name = forms.CharField(label=_("What it is for"), max_length=80)
    scopes = forms.MultipleChoiceField(
        label=_("It may"), choices=KeyScope.choices, widget=forms.CheckboxSelectMultiple
    )
    days = forms.TypedChoiceField(
        label=_("Ends after"),
        coerce=int,
        choices=[(30, _("30 days")), (90, _("90 days")), (365, _("One year"))],
        initial=90,
    )

    def lifetime(self) -> timedelta:
        return timedelta(days=self.cleaned_data["days"])


def _offer_calendars(form: forms.Form) -> None:
    """The choice of a calendar, where there is more than the company's own."""
    if WorkingCalendar.objects.filter(is_default=False).exists():
        return
    form.fields.pop("calendar", None)


class UserForm(forms.Form):
    """A new person; `password` may stay empty, then nobody can sign in until one is set."""

    name = forms.CharField(label=pgettext_lazy("of a person", "Name"), max_length=100)
    username = forms.CharField(
        label=_("User name"), max_length=150, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    email = forms.CharField(
        label=pgettext_lazy("of a person", "Email"), max_length=254, required=False, widget=forms.EmailInput
    )
    language = forms.ChoiceField(label=_("Language"), choices=Language.choices)
    time_zone = forms.ChoiceField(label=_("Time zone"), choices=time_zones)
    team = forms.ModelChoiceField(label=_("Team"), queryset=Team.objects.none(), required=False)
    calendar = forms.ModelChoiceField(
        label=_("Working calendar"), queryset=WorkingCalendar.objects.all(), required=False,
        empty_label=_("That of the team"),
    )  # fmt: skip
    roles = forms.MultipleChoiceField(
        label=_("Roles"), choices=Role.choices, required=False, widget=forms.CheckboxSelectMultiple
    )
    password = _password(
        _("Password"), "new-password", required=False, help_text=_("To be changed at the first sign-in.")
    )

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer_calendars(self)
        self.fields["team"].queryset = Team.objects.visible_to(by).active().as_tree()  # type: ignore[attr-defined]


class UserEditForm(UserForm):
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("username", "password"):
            del self.fields[name]


class ResetPasswordForm(forms.Form):
    password = _password(_("New password"), "new-password", help_text=_("To be changed at the next sign-in."))


class TeamForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=100)
    parent = forms.ModelChoiceField(label=_("Belongs to"), queryset=Team.objects.none(), required=False)

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["parent"].queryset = Team.objects.visible_to(by).active().as_tree()  # type: ignore[attr-defined]


class TeamEditForm(TeamForm):
    calendar = forms.ModelChoiceField(
        label=_("Working calendar"), queryset=WorkingCalendar.objects.all(), required=False,
        empty_label=_("That of the team above"),
    )  # fmt: skip
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer_calendars(self)


def first_guess(language: str) -> dict[str, Any]:
    """What the first run proposes: the language of the browser, the time zone of the machine."""
    row = Organisation.objects.current()
    zone = timezone.get_default_timezone_name()
    return {
        "organisation_name": row.name,
        "language": language if language in Language.values else row.language,
        "time_zone": zone,
        "currency": row.currency,
        "template": ProcessTemplate.PLAIN,
    }
