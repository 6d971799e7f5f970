"""The pages as a table."""

from commontime.core.routes import route
from commontime.web import (
    accounts,
    assets,
    availability,
    calendars,
    contacts,
    home,
    meetings,
    new_calendar,
    plans,
    profile,
)

urlpatterns = [
    route("", home.welcome),
    route("app/", home.home),
    route("static/joined/<str:files>", assets.serve),
    route("app/sign-in/", accounts.sign_in),
    route("app/sign-up/", accounts.sign_up),
    route("app/sign-out/", accounts.sign_out),
    route("app/password_reset/", accounts.ask_for_reset),
    route("app/password_reset/<str:uidb64>/<str:token>/", accounts.choose_password),
    route("app/mail/", home.letters),
    route("app/mail/stop/<str:token>/", accounts.stop_mails),
    route("app/invitations/<str:token>/", home.join),
    route("app/invitations/<uuid:invitation_id>/answer/", home.answer_invitation),
    route("app/people/", contacts.people),
    route("app/settings/", profile.settings_page),
    route("app/settings/export/", profile.export),
    route("app/settings/delete/", profile.delete_account),
    route("app/calendars/new/", new_calendar.new_calendar),
    route("app/calendars/<uuid:calendar_id>/", calendars.calendar),
    route("app/calendars/<uuid:calendar_id>/availability/", availability.paint),
    route("app/calendars/<uuid:calendar_id>/times/", availability.times),
    route("app/calendars/<uuid:calendar_id>/live/", availability.live),
    route("app/calendars/<uuid:calendar_id>/who/", availability.who),
    route("app/calendars/<uuid:calendar_id>/people/", calendars.people),
    route("app/calendars/<uuid:calendar_id>/meetings/new/", calendars.new_meeting),
    route("app/calendars/<uuid:calendar_id>/meetings/<uuid:meeting_id>/", meetings.meeting),
    route("app/calendars/<uuid:calendar_id>/meetings/<uuid:meeting_id>/live/", meetings.live),
    route("app/calendars/<uuid:calendar_id>/meetings/<uuid:meeting_id>/edit/", meetings.edit),
    route(
        "app/calendars/<uuid:calendar_id>/meetings/<uuid:meeting_id>/invite.ics", meetings.invite
    ),
    route("app/calendars/<uuid:calendar_id>/plan/", plans.plan),
    route("app/calendars/<uuid:calendar_id>/plan/live/", plans.live),
    route("app/calendars/<uuid:calendar_id>/settings/", calendars.settings),
    route(
        "app/calendars/<uuid:calendar_id>/participants/<uuid:participant_id>/remove/",
        calendars.remove_participant,
    ),
]
