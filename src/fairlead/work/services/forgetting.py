"""What is done, filed and told about records that go for good. The events stay in the journal."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from fairlead.common import rows

from ..models import File


def forget_about(kind: str, ids: Sequence[int]) -> None:
    """Activities, files with their content, tasks, comments, notifications, follows, stars: in the caller's transaction.

    The content of files goes after the commit, so that a transaction that fails keeps it."""
    files = File.objects.filter(subject_type=kind, subject_id__in=ids).exclude(content="")
    contents = [(f.content.storage, f.content.name) for f in files]
    rows.delete_about("work", kind, ids)
    for storage, name in contents:
        transaction.on_commit(lambda storage=storage, name=name: storage.delete(name))  # type: ignore[misc]
