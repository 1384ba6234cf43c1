"""Imports: upload a file, say what its columns mean, check it, run it, read the report, undo it.

Checking, running and undoing are jobs: the answer comes at once, `state` tells how far they are.
"""

from collections.abc import Callable
from typing import Annotated, Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import File as FilePart
from ninja import Form, Query, Router, Status, UploadedFile

from fairlead.common.access import access
from fairlead.common.rest import MOST, BadInput, Cut, PathId, Sort, cut, etag, listed
from fairlead.journal.enums import Channel

from . import services
from .models import ImportRun
from .schemas import (
    ImportOut,
    ImportRowOut,
    MappingIn,
    SampleDataOut,
    UploadIn,
    import_out,
    import_row_out,
    sample_data_out,
)
from .services import samples
from .tasks import enqueue, enqueue_sample_data

router = Router(tags=["exchange"])

Limit = Annotated[int, Query(ge=1, le=MOST)]


def _how(request: HttpRequest) -> dict[str, Any]:
    return {"by": request.user, "at": timezone.now(), "channel": Channel.API}


def _answer(run: ImportRun, response: HttpResponse) -> dict[str, Any]:
    etag(response, run.version)
    return import_out(run)


def _begin(
    request: HttpRequest, response: HttpResponse, pk: int, begin: Callable[..., ImportRun]
) -> dict[str, Any]:
    run = begin(pk, **_how(request))
    enqueue(run)
    return _answer(run, response)


@router.get("/imports", response=Cut[ImportOut], operation_id="imports_list")
@access("import.run", api=True)
def imports(request: HttpRequest, cursor: str = "", limit: Limit = 20) -> dict[str, Any]:
    """One's own imports, the newest first."""
    rows, following = cut(
        ImportRun.objects.visible_to(request.user), Sort("newest", "pk", True), cursor, limit
    )
    return listed(map(import_out, rows), following)


@router.post("/imports", response={201: ImportOut}, operation_id="imports_upload")
@access("import.run", api=True)
def upload(
    request: HttpRequest,
    response: HttpResponse,
    payload: Form[UploadIn],
    content: Annotated[UploadedFile, FilePart()],
) -> Status[dict[str, Any]]:
    """Stage a file as `multipart/form-data`: CSV in any usual encoding, or XLSX. Nothing of it is written yet."""
    for name in {*request.POST, *request.FILES} - {*UploadIn.model_fields, "content"}:
        raise BadInput.field(name.encode("utf-8", "replace").decode()[:60], "Extra inputs are not permitted")
    run = services.stage_file(
        content.chunks(), file_name=content.name or "", kind=payload.kind,
        options={"process": payload.process} if payload.process else None, **_how(request),
    )  # fmt: skip
    return Status(201, _answer(run, response))


@router.get("/imports/{id:pk}", response=ImportOut, operation_id="imports_get")
@access("import.run", api=True)
def get(request: HttpRequest, response: HttpResponse, pk: PathId) -> dict[str, Any]:
    """Where it stands, and how many rows are done."""
    return _answer(services.get_run(pk, by=request.user), response)


@router.put("/imports/{id:pk}/mapping", response=ImportOut, operation_id="imports_map")
@access("import.run", api=True)
def set_mapping(
    request: HttpRequest, response: HttpResponse, pk: PathId, payload: MappingIn
) -> dict[str, Any]:
    """Say what the columns mean, and the words in them."""
    columns = {key: meaning.model_dump(exclude_none=True) for key, meaning in payload.columns.items()}
    run = services.set_mapping(
        pk, mapping=columns, value_maps=payload.values, options={}, save_as=payload.save_as, **_how(request))  # fmt: skip
    return _answer(run, response)


@router.post("/imports/{id:pk}/check", response={202: ImportOut}, operation_id="imports_check")
@access("import.run", api=True)
def check(request: HttpRequest, response: HttpResponse, pk: PathId) -> Status[dict[str, Any]]:
    """Read the whole file: what each row would do and what is wrong, before anything is written."""
    return Status(202, _begin(request, response, pk, services.begin_check))


@router.post("/imports/{id:pk}/run", response={202: ImportOut}, operation_id="imports_run")
@access("import.run", api=True)
def run(request: HttpRequest, response: HttpResponse, pk: PathId) -> Status[dict[str, Any]]:
    """Bring in what was checked. Rows with errors stay out; rows that would move a record ask its gate."""
    return Status(202, _begin(request, response, pk, services.begin_run))


@router.post("/imports/{id:pk}/undo", response={202: ImportOut}, operation_id="imports_undo")
@access("import.run", api=True)
def undo(request: HttpRequest, response: HttpResponse, pk: PathId) -> Status[dict[str, Any]]:
    """Take it back: rows changed or moved since are kept and listed, all others restored exactly."""
    return Status(202, _begin(request, response, pk, services.begin_undo))


@router.get("/imports/{id:pk}/rows", response=Cut[ImportRowOut], operation_id="imports_rows")
@access("import.run", api=True)
def rows(
    request: HttpRequest, pk: PathId, only: Annotated[str, Query(pattern=r"^(problems|refused|kept)?$")] = "",
    cursor: str = "", limit: Limit = 50,
) -> dict[str, Any]:  # fmt: skip
    """The report, row by row: what became of it, and what is wrong with its mend. `only` narrows it."""
    found = services.get_run(pk, by=request.user).rows.all()
    if only == "problems":
        found = found.exclude(problems=[])
    elif only:
        found = found.filter(state={"refused": "failed", "kept": "kept"}[only])
    page, following = cut(found, Sort("number", "number"), cursor, limit)
    return listed(map(import_row_out, page), following)


@router.get("/sample-data", response=SampleDataOut, operation_id="sample_data_get")
@access("settings.manage", api=True)
def sample_data(request: HttpRequest, response: HttpResponse) -> dict[str, Any]:
    """Where the sample data of the company stand, and how far their loading or clearing is."""
    row = samples.sample_data()
    etag(response, row.version)
    return sample_data_out(row)


@router.post("/sample-data/load", response={202: SampleDataOut}, operation_id="sample_data_load")
@access("settings.manage", api=True)
def load_sample_data(request: HttpRequest, response: HttpResponse) -> Status[dict[str, Any]]:
    """Fill an empty company with a small one to try things with, as a job. 409 where there are records, or samples."""
    return _begin_sample_data(request, response, samples.begin_load)


@router.post("/sample-data/clear", response={202: SampleDataOut}, operation_id="sample_data_clear")
@access("settings.manage", api=True)
def clear_sample_data(request: HttpRequest, response: HttpResponse) -> Status[dict[str, Any]]:
    """Take the sample records away with all that hangs on them, as a job. What real records need stays and is told."""
    return _begin_sample_data(request, response, samples.begin_clear)


def _begin_sample_data(
    request: HttpRequest, response: HttpResponse, begin: Callable[..., Any]
) -> Status[dict[str, Any]]:
    with transaction.atomic():
        row = begin(**_how(request))
        enqueue_sample_data()
    etag(response, row.version)
    return Status(202, sample_data_out(row))
