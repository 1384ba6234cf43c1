"""The anticipated noes of the CRM, each with a stable code."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from fairlead.common.refusals import Refusal


class NotYours(Refusal):
    """Not the person who fills the slot, or not the one who asked."""

    code = "not-your-role"
    default_message = _("Somebody else holds this role on the deal.")
