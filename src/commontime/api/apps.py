from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "commontime.api"
    label = "api"
