"""One import from file to finished run, as the worker does it. Prints one JSON object.

`python -m bench.importing FILE` on the database of the environment, in the name of the administrator.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fairlead.config.settings")
    import django

    django.setup()
    try:
        print(json.dumps(bring_in(Path(sys.argv[1]))), flush=True)
    except ImportError as error:
        print(json.dumps({"missing": str(error)}), flush=True)


def bring_in(path: Path) -> dict[str, Any]:
    from django.utils import timezone

    from fairlead.common import memory
    from fairlead.exchange import services
    from fairlead.exchange.models import ImportRun
    from fairlead.organisation.models import User

    how: dict[str, Any] = {
        "by": User.objects.get(username="admin0"),
        "at": timezone.now(),
        "channel": "import",
    }
    memory.settle()  # as the worker does
    begun = time.perf_counter()
    run = services.stage_file([path.read_bytes()], file_name=path.name, kind="opportunity", **how)
    staged = time.perf_counter()
    services.begin_check(run.pk, **how)
    services.check(run.pk)
    checked = time.perf_counter()
    services.begin_run(run.pk, **how)
    print("writing", file=sys.stderr, flush=True)
    services.execute(run.pk)
    done = time.perf_counter()
    run = ImportRun.objects.get(pk=run.pk)
    return {
        "state": str(run.state),
        "counts": run.counts,
        "findings": run.findings.get("problems", [])[:3],
        "stage": staged - begun,
        "check": checked - staged,
        "write": done - checked,
        "all": done - begun,
    }


if __name__ == "__main__":
    main()
