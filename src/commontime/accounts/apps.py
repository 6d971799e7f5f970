from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "commontime.accounts"
    label = "accounts"

    def ready(self) -> None:
        from commontime.accounts import tasks  # noqa: F401 (registers letters)
