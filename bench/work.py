"""What the room of work does in the background: how long two hundred people take to be told."""

from __future__ import annotations

import json
import sys
import time
from datetime import timedelta

PEOPLE, RUNS, LIMIT = 200, 5, 1000  # milliseconds


def main() -> int:
    """Run inside an installation (`FAIRLEAD_DATA` or `FAIRLEAD_DATABASE_URL`): python -m bench.work"""
    import os

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fairlead.config.settings")
    import django

    django.setup()
    from django.db import transaction
    from django.utils import timezone

    from fairlead.crm.models import Opportunity
    from fairlead.organisation.enums import Role
    from fairlead.organisation.models import RoleAssignment, User
    from fairlead.work.services.notifications import deliver

    found = []
    with transaction.atomic():  # nothing of it stays
        deal = Opportunity.objects.order_by("pk").first()
        if deal is None:
            print("There is no deal here: build a demo first.")
            return 2
        at = timezone.now()
        made = User.objects.bulk_create(
            [
                User(
                    username=f"bench-{n}", name=f"B {n}", name_key=f"b {n}", created_at=at - timedelta(days=1)
                )
                for n in range(PEOPLE)
            ]
        )
        RoleAssignment.objects.bulk_create([RoleAssignment(user=user, role=Role.FIN) for user in made])
        for _run in range(RUNS):
            began = time.perf_counter()
            told = deliver.call(
                [u.pk for u in made],
                "mentioned",
                "opportunity",
                deal.pk,
                "mentioned",
                {},
                None,
                at.isoformat(),
            )
            found.append((time.perf_counter() - began) * 1000)
            assert told == PEOPLE, told
        transaction.set_rollback(True)
    worst = max(found)
    print(
        json.dumps({"mention of 200 (ms)": [round(f) for f in found], "limit": LIMIT, "over": worst > LIMIT})
    )
    return int(worst > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
