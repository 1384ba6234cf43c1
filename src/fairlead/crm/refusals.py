"""The anticipated noes of the CRM, each with a stable code."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from fairlead.common.refusals import Refusal


class MergedAway(Refusal):
    """A deal that was merged into another one is only read (MV-8); `details["into"]` goes on for both."""

    code = "merged-away"
    status = 409
    default_message = _("This deal was merged into another one. Go on there.")


class MergeRefused(Refusal):
    """Two deals that cannot become one; `details["obstacles"]` names each as a code with its message (MV-8)."""

    code = "merge-refused"
    status = 409
    default_message = _("These two cannot be merged.")


class NotYours(Refusal):
    """Not the person who fills the slot, or not the one who asked."""

    code = "not-your-role"
    default_message = _("Somebody else holds this role on the deal.")
