"""One number for each table: equal when nothing changed, whatever the order of the rows."""

import hashlib
from collections.abc import Collection
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core import mail
from django.db.models import Model

from fairlead.config.rooms import APPS

Fingerprint = dict[str, Any]


def domain_models(*, with_journal: bool = True) -> list[type[Model]]:
    rooms = {room for room in APPS if with_journal or room != "journal"}
    return [model for model in apps.get_models() if model._meta.app_label in rooms]


def db_fingerprint(*, with_journal: bool = True, tables: Collection[str] | None = None) -> Fingerprint:
    """Rows and the sum of their hashes per table (or for those named), the mails sent, the files kept."""
    out: Fingerprint = {}
    for model in domain_models(with_journal=with_journal):
        if tables is not None and model._meta.db_table not in tables:
            continue
        rows = total = 0
        for row in model._base_manager.order_by().values_list().iterator():
            rows += 1
            total = (total + int.from_bytes(hashlib.sha256(repr(row).encode()).digest()[:8], "big")) % 2**64
        out[model._meta.label] = (rows, total)
    return out | {"mail": len(getattr(mail, "outbox", [])), "files": tree_hash(Path(settings.MEDIA_ROOT))}


def tree_hash(root: Path) -> str:
    total = hashlib.sha256()
    for file in sorted(path for path in root.rglob("*") if path.is_file()):
        total.update(str(file.relative_to(root)).encode())
        total.update(file.read_bytes())
    return total.hexdigest()


def changed(before: Fingerprint, after: Fingerprint) -> dict[str, Any]:
    """What differs: the best message a failed test can give."""
    return {
        name: (before.get(name), after.get(name))
        for name in {**before, **after}
        if before.get(name) != after.get(name)
    }
