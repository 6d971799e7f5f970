from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "commontime.jobs"
    label = "jobs"
