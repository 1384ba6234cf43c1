"""Small files on their way in, for the tests of imports."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from fairlead.exchange import services
from fairlead.exchange.models import ImportRun
from fairlead.journal.enums import Channel


def how(by: Any) -> dict[str, Any]:
    return {"by": by, "at": timezone.now(), "channel": Channel.UI}


def staged(
    text: str | bytes, *, by: Any, kind: str = "opportunity", name: str = "deals.csv", **options: Any
) -> ImportRun:
    data = text.encode() if isinstance(text, str) else text
    return services.stage_file([data], file_name=name, kind=kind, options=options, **how(by))


def checked(
    run: ImportRun, *, by: Any, mapping: Any = None, maps: Any = None, options: Any = None
) -> ImportRun:
    services.set_mapping(
        run.pk, mapping=mapping or {}, value_maps=maps or {}, options=options or {}, **how(by)
    )
    services.begin_check(run.pk, **how(by))
    services.check(run.pk)
    run.refresh_from_db()
    return run


def ran(run: ImportRun, *, by: Any) -> ImportRun:
    services.begin_run(run.pk, **how(by))
    services.execute(run.pk)
    run.refresh_from_db()
    return run


def undone(run: ImportRun, *, by: Any) -> ImportRun:
    services.begin_undo(run.pk, **how(by))
    services.undo(run.pk)
    run.refresh_from_db()
    return run


def codes(run: ImportRun) -> dict[str, int]:
    """How often each problem was found."""
    found: dict[str, int] = {}
    for group in run.findings["problems"]:
        found[group["code"]] = found.get(group["code"], 0) + group["count"]
    return found


def columns(**targets: str) -> dict[str, Any]:
    return {key: {"target": target} for key, target in targets.items()}
