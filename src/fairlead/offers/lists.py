"""The list of contracts, and the tab with contracts on the page of a deal."""

from __future__ import annotations

from fairlead.crm.list_kinds import with_journey
from fairlead.crm.lists import ListKind, Sort, register
from fairlead.crm.sections import Tab, add_tab

from .models import Contract


def register_lists() -> None:
    register(
        ListKind(
            kind="contract",
            page="offers:contracts",
            more=with_journey,
            search="number",
            rows=lambda user: (
                Contract.objects.visible_to(user)
                .select_related("opportunity", "owner", "journey__stage")
                .defer("opportunity__description", "opportunity__custom", "opportunity__search_key")
            ),
            columns=(
                "number",
                "opportunity",
                "amount",
                "signed_date",
                "countersigned_date",
                "stage",
                "owner",
            ),
            sorts={"number": Sort("number"), "created": Sort("pk")},
            default_sort="-created",
        )
    )
    add_tab(
        "opportunity",
        Tab("contracts", {"zh": "合同", "en": "Contracts"}, "offers:of_opportunity", "contract.view"),
    )
