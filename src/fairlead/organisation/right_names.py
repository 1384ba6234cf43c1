"""The rights in words, for the page that explains them."""

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

NAMES: Final[Mapping[str, str | Promise]] = {
    "opportunity.view": _("See opportunities"),
    "opportunity.create": _("Create opportunities"),
    "opportunity.edit": _("Edit opportunities"),
    "opportunity.move": _("Move opportunities"),
    "opportunity.reassign": _("Give opportunities to others"),
    "account.view": _("See accounts"),
    "account.create": _("Create accounts"),
    "account.edit": _("Edit accounts"),
    "contact.view": _("See contacts"),
    "contact.create": _("Create contacts"),
    "contact.edit": _("Edit contacts"),
    "segment.view": _("See market segments"),
    "segment.edit": _("Edit market segments"),
    "contract.view": _("See contracts"),
    "contract.edit": _("Edit contracts"),
    "comment.add": _("Comment"),
    "views.share": _("Share views of lists"),
    "waiver.grant": _("Grant waivers"),
    "regress.confirm": _("Confirm moves far back"),
    "deal.attest": _("Confirm checklist items"),
    "deal.reopen": _("Reopen lost deals"),
    "deal.reopen_won": _("Reopen won deals"),
    "veto.raise": _("Say no in one's own field"),
    "veto.overrule": _("Decide over a veto"),
    "approval.decide": _("Decide approvals that are asked of one"),
    "approval.delegate": _("Let others stand in for somebody"),
    "glass.break": _("Break the glass: force a move or an item, told to the process owners"),
    "process.view": _("Read processes"),
    "process.publish": _("Publish processes"),
    "import.run": _("Import records"),
    "import.history": _("Import history"),
    "audit.view": _("Read the audit log"),
    "funnel.view": _("See the funnel"),
    "margin.view": _("See margins"),
    "fields.manage": _("Manage fields"),
    "users.manage": _("Manage people and roles"),
    "people.view_as": _("See pages as another person"),
    "settings.manage": _("Manage settings"),
    "apikeys.own": _("Have API keys"),
}


def right_name(right: str) -> str:
    return str(NAMES[right])
