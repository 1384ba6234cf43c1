"""A candidate process document tried on history, for whoever may publish. Reads only; NumPy loads with the question."""

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja import Router

from fairlead.common.access import access
from fairlead.common.refusals import Invalid, NotFound
from fairlead.common.rest import Code
from fairlead.process.models import Process

from .schemas import ReplayIn, ReplayOut

router = Router(tags=["process"])


@router.post("/processes/{key}/replay", response=ReplayOut, operation_id="processes_replay")
@access("process.publish", api=True)
def replay(request: HttpRequest, key: Code, payload: ReplayIn) -> dict[str, Any]:
    """Try a document on past and running journeys: what it would have stopped, where and by which criterion; how often
    those that met a criterion won; the weighted pipeline; and how much history cannot answer. Nothing is written."""
    from .replay import asked, figures, words

    process = Process.objects.filter(key=key).first()
    if process is None:
        raise NotFound
    if (payload.document is None) == (payload.version is None):
        raise Invalid.field("document", _("Send a document or the number of a version, one of the two."))
    document = (
        payload.document if payload.document is not None else asked.stored(process, str(payload.version))
    )
    candidate = asked.candidate_for(process, document)
    ids = asked.journey_ids(process, request.user, most=payload.most)
    return words.as_json(figures.replay(candidate, ids, at=timezone.now()))
