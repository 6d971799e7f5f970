"""The whole API as a table."""

from commontime.api import (
    accounts,
    calendars,
    contacts,
    health,
    insights,
    invitations,
    meetings,
    metrics,
    non_busy_times,
    participants,
    plans,
    schema,
    suggestions,
)
from commontime.core.routes import route

urlpatterns = [
    # Accounts
    route("signup/", accounts.SignUp),
    route("login/", accounts.Login),
    route("logout/", accounts.Logout),
    route("token/", accounts.Token),
    route("token/refresh/", accounts.TokenRefresh),
    route("password_reset/", accounts.PasswordReset),
    route("password_reset/<str:uidb64>/<str:token>/", accounts.PasswordResetConfirm),
    route("profile/", accounts.ProfileView),
    route("profile/edit/", accounts.ProfileEdit),
    route("confirm-email/", accounts.ConfirmEmail),
    route("profile/confirm-email/", accounts.ConfirmEmailAgain),
    route("profile/delete/", accounts.ProfileDelete),
    route("profile/settings/", accounts.ProfileSettings),
    route("profile/export/", accounts.ProfileExport),
    route("profile/feed/rotate/", accounts.FeedRotate),
    route("profile/sessions/", accounts.Sessions),
    route("profile/sessions/<uuid:session_id>/", accounts.SessionOne),
    # Calendars
    route("calendars/", calendars.Calendars),
    route("calendars/<uuid:calendar_id>/", calendars.CalendarOne),
    route("calendars/<uuid:calendar_id>/transfer/", calendars.CalendarTransfer),
    route("calendars/<uuid:calendar_id>/duplicate/", calendars.CalendarDuplicate),
    route("calendars/<uuid:calendar_id>/participants/", participants.Participants),
    route(
        "calendars/<uuid:calendar_id>/participants/<uuid:participant_id>/",
        participants.ParticipantOne,
    ),
    route("calendars/<uuid:calendar_id>/nonbusytimes/", non_busy_times.Windows),
    route("calendars/<uuid:calendar_id>/nonbusytimes/<uuid:window_id>/", non_busy_times.WindowOne),
    route("calendars/<uuid:calendar_id>/availability/", non_busy_times.AvailabilityView),
    # Meetings and suggestions
    route("calendars/<uuid:calendar_id>/meetings/", meetings.Meetings),
    route("calendars/<uuid:calendar_id>/meetings/<uuid:meeting_id>/", meetings.MeetingOne),
    route(
        "calendars/<uuid:calendar_id>/meetings/<uuid:meeting_id>/invite.ics/",
        meetings.MeetingInvite,
    ),
    route("calendars/<uuid:calendar_id>/one-on-ones/", plans.OneOnOnes),
    route("calendars/<uuid:calendar_id>/plan/", plans.PlanView),
    route("calendars/<uuid:calendar_id>/plan/stop/", plans.PlanStop),
    route("calendars/<uuid:calendar_id>/plan/apply/", plans.PlanApply),
    route("calendars/meetings/<uuid:meeting_id>/suggestions/", suggestions.Suggestions),
    route(
        "calendars/meetings/<uuid:meeting_id>/suggestions/<uuid:suggestion_id>/",
        suggestions.SuggestionOne,
    ),
    route("calendars/meetings/<uuid:meeting_id>/insights/", insights.InsightsView),
    # Invitations, mail, contacts
    route("calendars/invitations/", invitations.Invitations),
    route("calendars/invitations/<uuid:invitation_id>/", invitations.InvitationOne),
    route("calendars/get-user-id/<str:username>/", invitations.GetUserId),
    route("calendars/send-email/", invitations.SendEmail),
    route("contacts/", contacts.Contacts),
    route("contacts/add/", contacts.ContactAdd),
    route("contacts/delete/<str:username>/", contacts.ContactDelete),
    # About the service
    route("healthz/", health.Healthz),
    route("readyz/", health.Readyz),
]

about_the_api = [
    route("schema/", schema.SchemaView, name="schema"),
    route("docs/", schema.DocsView, name="docs"),
    # For the operator's Prometheus, so the schema does not tell of it.
    route("metrics/", metrics.Metrics),
]
