from collections.abc import Iterable, Iterator, Sequence
from typing import Any, BinaryIO

from django.apps import AppConfig
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class ExchangeConfig(AppConfig):
    name = "fairlead.exchange"
    label = "exchange"

    def ready(self) -> None:
        from fairlead.common import turns
        from fairlead.crm import lists
        from fairlead.fields import uses
        from fairlead.organisation import registry

        from . import fairness
        from .demo.progress import being_built
        from .field_uses import read

        uses.read_with(read)
        registry.PEOPLE_ARE_COMING.append(lambda: being_built() is not None)
        registry.FIRST_DATA["sample"] = (
            _("Sample data to try things with; one click clears them"),
            "exchange:sample_data",
        )
        registry.FIRST_DATA["import"] = (_("A file of mine: import it next"), "exchange:imports")
        fairness.install()
        turns.use(fairness.Pace)
        lists.connect_files(csv=_csv, xlsx=_xlsx)


def _csv(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    from .writing import csv_chunks  # brings the writer of workbooks along: read when the first list leaves

    return csv_chunks(header, rows)


def _xlsx(
    target: BinaryIO, header: Sequence[str], rows: Iterable[Sequence[Any]], sheet: str, notes: Any
) -> None:
    from .writing import write_xlsx

    write_xlsx(target, header, rows, sheet=sheet, tz=timezone.get_current_timezone(), notes=notes)
