"""Which deals of a filled database a measurement may use, as one JSON object."""

from __future__ import annotations

import json
import os
from typing import Any


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fairlead.config.settings")
    import django

    django.setup()
    print(json.dumps(look()))


def look() -> dict[str, Any]:
    """`rich`: open deals of the first seller with thirty things on their timeline; `long`: the one with a thousand.

    `ready`: those with an open gate."""
    from fairlead.crm.models import Account, Contact, Opportunity
    from fairlead.journal.models import Event
    from fairlead.organisation.models import User
    from fairlead.process.models import Journey, Visit
    from fairlead.work.models import Activity

    first = User.objects.get(username="s000")
    open_deals = Journey.objects.filter(state="open")
    # The first ones stay on the boards that are measured; the others are moved.
    ready: dict[str, list[int]] = {}
    rows = open_deals.filter(gate_state="ready").order_by("pk").values_list("subject_id", "owner__username")
    for pk, username in rows:
        ready.setdefault(username, []).append(pk)
    branch = User.objects.get(username="m0").team
    return {
        "account_names": list(Account.objects.order_by("pk").values_list("name", flat=True)[:20_000]),
        "rich": list(
            open_deals.filter(owner=first)
            .exclude(subject_id=1)
            .order_by("pk")
            .values_list("subject_id", flat=True)[:200]
        ),
        "ready": ready,
        "long": 1,
        "of_branch": sorted(
            User.objects.filter(team__parent=branch, username__startswith="s").values_list(
                "username", flat=True
            )
        ),
        "rows": {
            "opportunities": Opportunity.objects.count(),
            "open": open_deals.count(),
            "accounts": Account.objects.count(),
            "contacts": Contact.objects.count(),
            "activities": Activity.objects.count(),
            "visits": Visit.objects.count(),
            "events": Event.objects.count(),
        },
        "cards": {
            "seller": open_deals.filter(owner=first).count(),
            "manager": open_deals.filter(team_id__in=branch.branch_ids if branch else []).count(),
        },
    }


if __name__ == "__main__":
    main()
