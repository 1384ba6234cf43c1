"""Input of the settings pages."""

from typing import Any

from django import forms
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from fairlead.common import records
from fairlead.common.names import localized
from fairlead.fields import catalogue
from fairlead.fields.enums import REFERENCE, FieldType
from fairlead.fields.models import CustomField
from fairlead.fields.services import MASKS
from fairlead.organisation.enums import Role
from fairlead.organisation.forms import CURRENCIES, VersionedForm, time_zones
from fairlead.organisation.models import Organisation
from fairlead.organisation.right_names import right_name
from fairlead.process.models import Process

OPTIONS_LIMIT = 200


def kinds() -> list[tuple[str, str]]:
    """Kinds of records that have a catalogue, in the reader's language."""
    return [
        (kind.subject_type, localized(kind.label))
        for kind in records.record_types()
        if kind.subject_type in catalogue.subject_types()
    ]


def masks() -> list[tuple[str, str]]:
    """Whom a field may be kept to, beside those who reach the record."""
    return [(right, mask_name(right)) for right in MASKS]


def mask_name(right: str) -> str:
    return right_name(right) if right else str(_("whoever reaches the record"))


class OrganisationForm(VersionedForm):
    name = forms.CharField(label=_("Company"), max_length=100, required=False)
    currency = forms.ChoiceField(
        label=_("Currency"), choices=[(code, code) for code in CURRENCIES],
        help_text=_("For new records. Amounts that are stored keep theirs."),
    )  # fmt: skip
    time_zone = forms.ChoiceField(label=_("Time zone"), choices=time_zones)
    soft_mode = forms.BooleanField(
        label=_("New processes begin in soft mode"),
        required=False,
        help_text=_("Gates flag, they do not block."),
    )
    publish_needs_second = forms.BooleanField(
        label=_("Publishing a process needs a second person"),
        required=False,
        help_text=_("Whoever wrote the draft asks; somebody else who may publish decides."),
    )
    second_step_roles = forms.MultipleChoiceField(
        label=_("Roles that must use two-step sign-in"),
        choices=Role.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Who holds one sets it up at the next page. API keys go on as they are."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """One choice per kind of record that has a process: `process_<kind>`."""
        super().__init__(*args, **kwargs)
        by_kind: dict[str, list[tuple[str, str]]] = {}
        for process in Process.objects.filter(versions__isnull=False).distinct().order_by("key"):
            by_kind.setdefault(process.subject_type, []).append((process.key, localized(process.name)))
        names = dict(kinds())
        self.process_fields = []
        for kind, processes in by_kind.items():
            name = f"process_{kind}"
            label = gettext("Process of a new record: %(kind)s") % {"kind": names.get(kind, kind)}
            self.fields[name] = forms.ChoiceField(
                label=label, choices=[("", "—"), *processes], required=False
            )
            self.process_fields.append(name)

    @staticmethod
    def stored(row: Organisation) -> dict[str, Any]:
        values = {
            name: getattr(row, name)
            for name in (
                "name",
                "currency",
                "time_zone",
                "soft_mode",
                "publish_needs_second",
                "second_step_roles",
                "version",
            )
        }
        return values | {f"process_{kind}": key for kind, key in row.default_processes.items()}

    def changes(self, row: Organisation) -> dict[str, Any]:
        given = self.cleaned_data
        chosen = {name.removeprefix("process_"): given[name] for name in self.process_fields}
        kept = {kind: key for kind, key in row.default_processes.items() if kind not in chosen}
        plain = ("name", "currency", "time_zone", "soft_mode", "publish_needs_second", "second_step_roles")
        return {name: given[name] for name in plain} | {
            "default_processes": kept | {kind: key for kind, key in chosen.items() if key}
        }


class FieldWordsForm(forms.Form):
    """The words of a field and who reads it; for a choice its options: one a line, `value | 中文 | English`."""

    label_zh = forms.CharField(label=_("Name in Chinese"), max_length=60, required=False)
    label_en = forms.CharField(label=_("Name in English"), max_length=60, required=False)
    help_zh = forms.CharField(label=_("Hint in Chinese"), max_length=200, required=False)
    help_en = forms.CharField(label=_("Hint in English"), max_length=200, required=False)
    unit = forms.CharField(label=_("Unit"), max_length=20, required=False)
    options = forms.CharField(
        label=_("Choices"), max_length=20_000, required=False, widget=forms.Textarea,
        help_text=_("One a line: value | Chinese | English. Below a line of --- stand those that are offered no more."),
    )  # fmt: skip
    read_right = forms.ChoiceField(label=_("Read by"), choices=lambda: masks(), required=False)
    write_right = forms.ChoiceField(label=_("Changed by"), choices=lambda: masks(), required=False)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not (given.get("label_zh") or given.get("label_en")):
            self.add_error("label_zh", gettext("Name the field in Chinese or English."))
        given["parsed"] = self._parsed(given.get("options", ""))
        return given

    def label(self) -> dict[str, str]:
        zh, en = self.cleaned_data["label_zh"], self.cleaned_data["label_en"]
        return {"zh": zh or en, "en": en or zh}

    def words(self) -> dict[str, Any]:
        """What the services take."""
        given = self.cleaned_data
        zh, en = given["help_zh"], given["help_en"]
        return {
            "label": self.label(), "help": {"zh": zh or en, "en": en or zh} if zh or en else {},
            "unit": given["unit"], "options": given["parsed"],
            "read_right": given["read_right"], "write_right": given["write_right"],
        }  # fmt: skip

    def _parsed(self, text: str) -> list[dict[str, Any]]:
        options: list[dict[str, Any]] = []
        retired = False
        for number, line in enumerate((line for line in text.splitlines() if line.strip()), 1):
            if not line.strip().strip("-—") and len(line.strip()) > 1:
                retired = True
                continue
            option = self._option(number, line)
            if any(one["value"] == option["value"] for one in options):
                self.add_error("options", gettext("Line %(n)s: the value %(value)s stands there twice.")
                               % {"n": number, "value": option["value"]})  # fmt: skip
            options.append(option | ({"retired": True} if retired else {}))
        if len(options) > OPTIONS_LIMIT:
            self.add_error("options", gettext("At most %(n)s choices.") % {"n": OPTIONS_LIMIT})
        return options

    def _option(self, number: int, line: str) -> dict[str, Any]:
        parts = [part.strip() for part in line.replace("｜", "|").split("|")]
        value, zh, en = parts[0], (parts[1:] or parts)[0], (parts[2:] or parts[1:] or parts)[0]
        if len(parts) > 3 or not value or max(map(len, parts)) > 60:
            self.add_error(
                "options", gettext("Line %(n)s is not read: write value | Chinese | English.") % {"n": number}
            )
        return {"value": value, "label": {"zh": zh or value, "en": en or value}}


class NewFieldForm(FieldWordsForm):
    subject_type = forms.ChoiceField(label=pgettext_lazy("of a field", "Of"), choices=kinds)
    type = forms.ChoiceField(
        label=pgettext_lazy("of a field", "Type"),
        choices=[(value, label) for value, label in FieldType.choices if value not in REFERENCE],
    )
    key = forms.CharField(
        label=pgettext_lazy("of a field", "Key"), max_length=60,
        help_text=_("For imports and the API. Small letters, digits and _. It never changes."),
    )  # fmt: skip
    field_order = (
        *("subject_type", "type", "label_zh", "label_en", "key", "unit", "help_zh", "help_en", "options"),
        *("read_right", "write_right"),
    )


class EditFieldForm(FieldWordsForm):
    version = forms.IntegerField(widget=forms.HiddenInput)

    @staticmethod
    def stored(row: CustomField) -> dict[str, Any]:
        return {
            "label_zh": row.label.get("zh", ""), "label_en": row.label.get("en", ""),
            "help_zh": row.help.get("zh", ""), "help_en": row.help.get("en", ""), "unit": row.unit,
            "options": _lines(row.options), "read_right": row.read_right, "write_right": row.write_right,
            "version": row.version,
        }  # fmt: skip


def _lines(options: list[dict[str, Any]]) -> str:
    def said(wanted: bool) -> list[str]:
        return [
            f"{o['value']} | {o['label'].get('zh', '')} | {o['label'].get('en', '')}"
            for o in options
            if bool(o.get("retired")) == wanted
        ]

    retired = said(True)
    return "\n".join([*said(False), *(["---", *retired] if retired else [])])


class RetireForm(forms.Form):
    retired = forms.TypedChoiceField(choices=[("1", "1"), ("0", "0")], coerce=lambda text: text == "1")
    version = forms.IntegerField()


class PlaceFieldForm(forms.Form):
    to = forms.ChoiceField(choices=[("up", "up"), ("down", "down")])
    version = forms.IntegerField()
