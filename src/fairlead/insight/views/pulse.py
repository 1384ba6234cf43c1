"""The five questions of the month."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from fairlead.analytics.adoption import ADKAR
from fairlead.common.access import access
from fairlead.common.pages import page
from fairlead.common.refusals import Invalid

from ..adoption import pulse_words
from ..adoption.pulse import AlreadyAnswered, NotAsked, answer_pulse, may_answer, round_of


@access("comment.add")
@require_http_methods(["GET", "HEAD", "POST"])
def pulse(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    at = timezone.now()
    errors: dict[str, str] = {}
    status = 200
    if request.method == "POST":
        given = {key: request.POST.get(key, "") for key in ADKAR}
        scores = {key: int(text) for key, text in given.items() if text in ("1", "2", "3", "4", "5")}
        try:
            answer_pulse(scores, by=user, at=at)
            messages.success(request, _("Thank you. Only sums are kept."))
            return redirect("insight:adoption" if user.may("funnel.view") else "web:home")
        except Invalid as refusal:
            errors = {e["field"]: str(e["message"]) for e in refusal.details["errors"]}
            status = refusal.status
        except (AlreadyAnswered, NotAsked) as refusal:
            errors, status = {"": str(refusal)}, refusal.status
    context = {
        "nav_at": "adoption", "round": round_of(at), "questions": pulse_words.questions(), "errors": errors,
        "chosen": {key: request.POST.get(key, "") for key in ADKAR}, "may_answer": may_answer(user, at=at),
    }  # fmt: skip
    return page(request, "insight/pulse.html", context, status=status)
