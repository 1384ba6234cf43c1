"""The verbs of the room: each asks the right, changes the rows and writes the journal in one transaction."""

from fairlead.organisation.services.calendars import remove_calendar_day, set_calendar_day, set_week
from fairlead.organisation.services.first_steps import set_first_steps
from fairlead.organisation.services.keys import authenticate_api_key, create_api_key, revoke_api_key
from fairlead.organisation.services.leave import BACK as LEAVE_BACK
from fairlead.organisation.services.leave import change_leave, enter_leave, remove_leave
from fairlead.organisation.services.own_calendars import (
    CalendarInUse,
    assign_calendar,
    change_calendar,
    create_calendar,
    remove_calendar,
)
from fairlead.organisation.services.people import (
    LastAdministrator,
    change_preferences,
    change_user,
    create_user,
    deactivate,
    move_to_team,
    reactivate,
    set_password,
)
from fairlead.organisation.services.roles import assign_role, reach, set_roles, withdraw_role
from fairlead.organisation.services.second_steps import (
    begin_second_step,
    confirm_second_step,
    renew_recovery_codes,
    reset_second_step,
    second_step_of,
    switch_off_second_step,
    take_code,
)
from fairlead.organisation.services.setup import AlreadySetUp, change_organisation, is_set_up, set_up
from fairlead.organisation.services.teams import (
    TeamInUse,
    close_team,
    create_team,
    place_team,
    rebuild_tree,
    rename_team,
)
from fairlead.organisation.services.viewing import (
    LASTS,
    VIEW_AS,
    CannotViewAs,
    begin_view_as,
    end_view_as,
    hindrance,
)

__all__ = [
    "LASTS",
    "LEAVE_BACK",
    "VIEW_AS",
    "AlreadySetUp",
    "CalendarInUse",
    "CannotViewAs",
    "LastAdministrator",
    "TeamInUse",
    "assign_calendar",
    "assign_role",
    "authenticate_api_key",
    "begin_second_step",
    "begin_view_as",
    "change_calendar",
    "change_leave",
    "change_organisation",
    "change_preferences",
    "change_user",
    "close_team",
    "confirm_second_step",
    "create_api_key",
    "create_calendar",
    "create_team",
    "create_user",
    "deactivate",
    "end_view_as",
    "enter_leave",
    "hindrance",
    "is_set_up",
    "move_to_team",
    "place_team",
    "reach",
    "reactivate",
    "rebuild_tree",
    "remove_calendar",
    "remove_calendar_day",
    "remove_leave",
    "rename_team",
    "renew_recovery_codes",
    "reset_second_step",
    "revoke_api_key",
    "second_step_of",
    "set_calendar_day",
    "set_first_steps",
    "set_password",
    "set_roles",
    "set_up",
    "set_week",
    "switch_off_second_step",
    "take_code",
    "withdraw_role",
]
