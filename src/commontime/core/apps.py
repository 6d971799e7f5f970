from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "commontime.core"
    label = "core"
