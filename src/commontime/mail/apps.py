from django.apps import AppConfig


class MailConfig(AppConfig):
    name = "commontime.mail"
    label = "mail"
