from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Prints every environment variable with its default and purpose, as in docs/settings.md."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write("| Variable | Default | Purpose |\n|---|---|---|")
        for variable in settings.ENVIRONMENT.values():
            default = f"`{variable.default}`" if variable.default else "none"
            self.stdout.write(f"| `{variable.name}` | {default} | {variable.purpose} |")
