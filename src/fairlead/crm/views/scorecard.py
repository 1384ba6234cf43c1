"""The scorecard tab of a deal: each element, what is known, how old, what would raise it; edited where it stands."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from fairlead.common.access import access
from fairlead.common.pages import page
from fairlead.common.refusals import Invalid
from fairlead.common.returned import NOTHING, Returned
from fairlead.fields.catalogue import Catalogue, pick
from fairlead.fields.enums import FieldType
from fairlead.process.scorecards import Element, Raise, Scorecard

from ..forms.records import version_of
from ..selectors.deal import Deal
from ..selectors.scorecards import scorecards_of
from ..services.methods import assess
from ..wording import words_on
from .editing import act
from .opportunity import deal_context, piece_wanted
from .shared import find_deal, go


@access("opportunity.view")
@require_safe
def scorecards(request: HttpRequest, pk: int) -> HttpResponse:
    return _page(request, pk)


@access("opportunity.edit")
@require_POST
def assess_element(request: HttpRequest, pk: int) -> HttpResponse:
    """Set one element with its evidence. What does not do comes back with what was typed."""
    find_deal(request, pk)
    data = request.POST
    element = data.get("element", "")[:60]
    file = data.get("file", "")
    try:
        assess(
            pk,
            score=data.get("score", "")[:60],
            element=element,
            value=data.get("value", ""),
            text=data.get("text", ""),
            source=data.get("source", ""),
            file_id=_file_of(file),
            version=version_of(data),
            **act(request),
        )
    except Invalid as refusal:
        return _page(request, pk, returned=Returned.of(f"el-{element}", data, _by_input(refusal, element)))
    return go(request, f"{reverse('crm:scorecards', args=[pk])}#el-{element}", _("Saved"))


def _file_of(text: str) -> int | None:
    if text and not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Invalid.field("file", _("This file is not one of the deal."))
    return int(text) if text else None


def _by_input(refusal: Invalid, element: str) -> Invalid:
    """The service calls a value by its field of the deal; on the page every element has the same inputs."""
    listed = refusal.details.get("errors", ())
    return Invalid(
        refusal.message, errors=[e | {"field": "value"} if e["field"] == element else e for e in listed]
    )


def _page(request: HttpRequest, pk: int, *, returned: Returned = NOTHING) -> HttpResponse:
    context = deal_context(request, pk, "scorecards")
    deal: Deal = context["deal"]
    user: Any = request.user
    cards = scorecards_of(
        pk,
        deal.definition,
        deal.facts.journey.stage_key,
        deal.facts.fields,
        fields=deal.catalogue,
        reader=user,
        at=timezone.now(),
    )
    context |= {
        "cards": [_card(card, deal) for card in cards],
        "returned": returned,
        "deal_files": [(f.pk, f.name) for f in deal.files[::-1] if f.withdrawn_at is None][:50],
    }
    return page(request, "crm/scorecards.html", context, block=piece_wanted(request), status=returned.status)


def _card(card: Scorecard, deal: Deal) -> dict[str, Any]:
    return {
        "key": card.score.key,
        "name": pick(card.score.name),
        "total": card.total,
        "most": card.score.most,
        "needed": card.needed,
        "is_met": card.is_met,
        "says": _says(card, deal.catalogue),
        "enough": card.enough,
        "elements": [_element(e, card, deal) for e in card.elements],
        "raises": [_raise(r, deal.catalogue) for r in card.raises[: max(card.enough, 5)]],
        "enough_words": ngettext(
            "The first act is enough for the gate.",
            "The first %(count)s acts are enough for the gate.",
            card.enough,
        )
        % {"count": card.enough}
        if card.enough
        else "",
    }


def _says(card: Scorecard, fields: Catalogue) -> str:
    """One line: does it do for the next gate?"""
    if card.needed is None:
        return _("The gate ahead asks for no score.")
    if card.is_met:
        return _("Enough for the gate ahead: %(needed)s asked.") % {"needed": card.needed}
    said = []
    if card.total < card.needed:
        said.append(
            ngettext(
                "%(count)s point short of %(needed)s",
                "%(count)s points short of %(needed)s",
                card.needed - card.total,
            )
            % {"count": card.needed - card.total, "needed": card.needed}
        )
    if card.below:
        names = _(", ").join(fields[e.key].name() for e in card.below)
        said.append(_("below its floor: %(names)s") % {"names": names})
    return _("; ").join(said)


def _element(element: Element, card: Scorecard, deal: Deal) -> dict[str, Any]:
    score, spec, known = card.score, deal.catalogue[element.key], element.known
    steps = [pick(word) for word in score.words] or [str(n) for n in range(score.top + 1)]
    if spec.type == FieldType.CHOICE:
        choices = [(o.value, pick(o.label)) for o in spec.options]
        value = element.value or ""
    else:
        choices = [(str(n), f"{n} · {steps[n]}") for n in range(score.top + 1)]
        value = str(element.points)
    age = ""
    if known is not None and element.age is not None:
        age = (
            ngettext("%(days)s day old", "%(days)s days old", element.age) % {"days": element.age}
            if element.age
            else _("today")
        )
    words = words_on(deal.facts.today)
    return {
        "key": element.key,
        "label": spec.name(),
        "ask": pick(spec.help) if spec.help else "",
        "points": element.points,
        "top": score.top,
        "word": steps[element.points],
        "choices": choices,
        "value": value,
        "floor": element.floor,
        "is_below": element.points < element.floor,
        "text": known.text if known is not None else "",
        "source": known.source if known is not None else "",
        "file": known.file_id if known is not None else None,
        "said": " · ".join([known.by, words.short_date(timezone.localdate(known.at)), age]) if known else "",
        "is_old": element.is_old,
        "lost": element.points > 0 and known is None,
        "other": known is not None and not element.holds,
    }


def _raise(one: Raise, fields: Catalogue) -> dict[str, Any]:
    name = fields[one.element].name()
    return {
        "element": name,
        "key": one.element,
        "text": pick(one.act.text) if one.act is not None else _("Verify %(element)s") % {"element": name},
        "points": one.points,
        "total": one.total,
        "minutes": ngettext("about %(count)s minute", "about %(count)s minutes", one.minutes)
        % {"count": one.minutes},
        "is_floor": one.is_floor,
    }
