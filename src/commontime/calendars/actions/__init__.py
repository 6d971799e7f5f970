"""What a user can do with calendars, by subject."""

from commontime.calendars.actions.accounts import delete_account, remove_account
from commontime.calendars.actions.calendars import (
    create_calendar,
    delete_calendar,
    duplicate_calendar,
    edit_calendar,
    transfer_calendar,
)
from commontime.calendars.actions.emails import send_letter
from commontime.calendars.actions.invitations import (
    accept_invitation,
    accept_invitation_link,
    decline_invitation,
    invitation_of_link,
    invite_address,
    invite_person,
    revoke_invitation,
)
from commontime.calendars.actions.meetings import (
    create_meeting,
    delete_meeting,
    edit_meeting,
    finish_deadline,
)
from commontime.calendars.actions.naming import find_contact
from commontime.calendars.actions.non_busy_times import (
    add_window,
    edit_window,
    paint_windows,
    remove_window,
    replace_windows,
)
from commontime.calendars.actions.one_on_ones import create_one_on_ones
from commontime.calendars.actions.participants import (
    add_participant,
    edit_participant,
    remove_participant,
)
from commontime.calendars.actions.plans import apply_plan, make_plan, stop_plan
from commontime.calendars.actions.signing_up import require_sign_up, sign_up
from commontime.calendars.actions.suggestions import suggest_time, withdraw_suggestion
from commontime.calendars.actions.taking_part import take_part

__all__ = [
    "accept_invitation",
    "accept_invitation_link",
    "add_participant",
    "add_window",
    "apply_plan",
    "create_calendar",
    "create_meeting",
    "create_one_on_ones",
    "decline_invitation",
    "delete_account",
    "delete_calendar",
    "delete_meeting",
    "duplicate_calendar",
    "edit_calendar",
    "edit_meeting",
    "edit_participant",
    "edit_window",
    "find_contact",
    "finish_deadline",
    "invitation_of_link",
    "invite_address",
    "invite_person",
    "make_plan",
    "paint_windows",
    "remove_account",
    "remove_participant",
    "remove_window",
    "replace_windows",
    "require_sign_up",
    "revoke_invitation",
    "send_letter",
    "sign_up",
    "stop_plan",
    "suggest_time",
    "take_part",
    "transfer_calendar",
    "withdraw_suggestion",
]
