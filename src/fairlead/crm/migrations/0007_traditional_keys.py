"""Names in traditional characters are found by simplified ones from now on: their search keys are made anew."""

from typing import Any

from django.db import migrations

from fairlead.common.han import TRADITIONAL
from fairlead.common.text import search_key

CHUNK = 2000


def make_anew(apps: Any, _editor: Any) -> None:
    for name in ("Segment", "Account", "Contact", "Opportunity"):
        model = apps.get_model("crm", name)
        columns = ["id", "name", *(["short_name"] if name == "Account" else [])]
        found = []
        for row in model.objects.order_by("pk").only(*columns).iterator(chunk_size=CHUNK):
            text = " ".join(filter(None, [row.name, getattr(row, "short_name", "")]))
            if not text.isascii() and text.translate(TRADITIONAL) != text:
                row.search_key = search_key(text)[:900]
                found.append(row)
        model.objects.bulk_update(found, ["search_key"], batch_size=500)


class Migration(migrations.Migration):
    dependencies = [("crm", "0006_mutual_plan")]
    operations = [migrations.RunPython(make_anew, migrations.RunPython.noop, elidable=True)]
