"""The pages as a table. Their names are `web:…`, for `reverse` and `{% url %}`."""

from commontime.core.routes import route
from commontime.web import (
    accounts,
    assets,
    calendar_page,
    calendar_settings,
    contacts,
    home,
    list_form,
    live,
    meetings,
    new_calendar,
    new_meeting,
    painting,
    people,
    plans,
    profile,
    sign_in,
    who,
)

app_name = "web"
urlpatterns = [
    route("", home.welcome, name="welcome"),
    route("app/", home.home, name="home"),
    route("static/joined/<str:files>", assets.serve, name="asset"),
    route("app/sign-in/", sign_in.sign_in, name="sign_in"),
    route("app/sign-up/", accounts.sign_up, name="sign_up"),
    route("app/sign-out/", accounts.sign_out, name="sign_out"),
    route("app/password_reset/", accounts.ask_for_reset, name="ask_for_reset"),
    route(
        "app/password_reset/<str:uidb64>/<str:token>/",
        accounts.choose_password,
        name="choose_password",
    ),
    route("app/mail/", home.letters, name="letters"),
    route("app/mail/stop/<str:token>/", accounts.stop_mails, name="stop_mails"),
    route("app/invitations/<str:token>/", home.join, name="join"),
    route(
        "app/invitations/<uuid:invitation_id>/answer/",
        home.answer_invitation,
        name="answer_invitation",
    ),
    route("app/people/", contacts.people, name="contacts"),
    route("app/settings/", profile.settings_page, name="settings"),
    route("app/settings/export/", profile.export, name="export"),
    route("app/settings/delete/", profile.delete_account, name="delete_account"),
    route("app/calendars/new/", new_calendar.new_calendar, name="new_calendar"),
    route("app/calendars/<uuid:calendar_id>/", calendar_page.calendar, name="calendar"),
    route("app/calendars/<uuid:calendar_id>/availability/", painting.paint, name="paint"),
    route("app/calendars/<uuid:calendar_id>/times/", list_form.times, name="times"),
    route("app/calendars/<uuid:calendar_id>/live/", live.live, name="live"),
    route("app/calendars/<uuid:calendar_id>/who/", who.who, name="who"),
    route("app/calendars/<uuid:calendar_id>/people/", people.people, name="people"),
    route(
        "app/calendars/<uuid:calendar_id>/meetings/new/",
        new_meeting.new_meeting,
        name="new_meeting",
    ),
    route(
        "app/calendars/<uuid:calendar_id>/meetings/<uuid:meeting_id>/",
        meetings.meeting,
        name="meeting",
    ),
    route(
        "app/calendars/<uuid:calendar_id>/meetings/<uuid:meeting_id>/live/",
        meetings.live,
        name="meeting_live",
    ),
    route(
        "app/calendars/<uuid:calendar_id>/meetings/<uuid:meeting_id>/edit/",
        meetings.edit,
        name="edit_meeting",
    ),
    route(
        "app/calendars/<uuid:calendar_id>/meetings/<uuid:meeting_id>/invite.ics/",
        meetings.invite,
        name="invite_file",
    ),
    route("app/calendars/<uuid:calendar_id>/plan/", plans.plan, name="plan"),
    route("app/calendars/<uuid:calendar_id>/plan/live/", plans.live, name="plan_live"),
    route(
        "app/calendars/<uuid:calendar_id>/settings/",
        calendar_settings.settings,
        name="calendar_settings",
    ),
    route(
        "app/calendars/<uuid:calendar_id>/participants/<uuid:participant_id>/remove/",
        people.remove_participant,
        name="remove_participant",
    ),
]
