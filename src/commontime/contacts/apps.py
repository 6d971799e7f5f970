from django.apps import AppConfig


class ContactsConfig(AppConfig):
    name = "commontime.contacts"
    label = "contacts"
