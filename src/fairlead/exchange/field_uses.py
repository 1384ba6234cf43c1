"""Which fields the kept mappings of imports fill."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from django.urls import reverse
from django.utils.translation import ngettext

from fairlead.fields.uses import Use

from .models import MappingPreset


def read(subject_type: str, asker: Any) -> Iterator[tuple[str, Use]]:
    """One use for all kept mappings: they are their owners', so only their number is told."""
    if not asker.may("fields.manage"):
        return
    filled: Counter[str] = Counter()
    for mapping in MappingPreset.objects.filter(kind=subject_type).values_list("mapping", flat=True):
        filled.update({str(how.get("target") or "") for how in mapping.values() if isinstance(how, dict)})
    for key, n in filled.items():
        if key:
            said = ngettext("%(n)s kept mapping of files", "%(n)s kept mappings of files", n) % {"n": n}
            yield key, Use("import", said, reverse("exchange:imports"))
