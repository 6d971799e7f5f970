"""Reads gettext's .po files, as far as ours go."""

import ast
import re
from dataclasses import dataclass, field
from pathlib import Path

_LINE = re.compile(r'(msgctxt|msgid_plural|msgid|msgstr)(?:\[\d\])? (".*")$')


@dataclass
class Entry:
    """One text. `forms` are its translations: one, or one for each plural form."""

    context: str = ""
    text: str = ""
    plural: str = ""
    forms: list[str] = field(default_factory=list)
    flags: set[str] = field(default_factory=set)

    @property
    def key(self) -> tuple[str, str, str]:
        return self.context, self.text, self.plural


def read(path: Path) -> list[Entry]:
    """Return the texts of a file, without its header."""
    found = []
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        entry, kind = Entry(), ""
        for line in block.splitlines():
            if line.startswith("#,"):
                entry.flags |= {flag.strip() for flag in line[2:].split(",")}
            elif match := _LINE.match(line):
                kind = match[1]
                _add(entry, kind, ast.literal_eval(match[2]), is_new=True)
            elif line.startswith('"'):
                _add(entry, kind, ast.literal_eval(line), is_new=False)
        if entry.text:
            found.append(entry)
    return found


def _add(entry: Entry, kind: str, part: str, *, is_new: bool) -> None:
    if kind == "msgstr":
        entry.forms = (
            [*entry.forms, part] if is_new else [*entry.forms[:-1], entry.forms[-1] + part]
        )
    else:
        name = {"msgctxt": "context", "msgid": "text", "msgid_plural": "plural"}[kind]
        setattr(entry, name, getattr(entry, name) + part)
