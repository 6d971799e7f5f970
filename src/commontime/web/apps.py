from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "commontime.web"
    label = "web"
