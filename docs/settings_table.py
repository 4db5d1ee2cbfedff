"""Writes the table of settings in operations.md: `.venv/bin/python docs/settings_table.py`."""  # noqa: INP001  # a script

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from consumer.cli.settings import setting_lines
from consumer.settings import Settings

PAGE = Path(__file__).with_name("operations.md")
BEGIN = "<!-- settings: written by docs/settings_table.py -->\n"
END = "<!-- end of settings -->\n"


def settings_table() -> str:
    """The table, from the catalogue in ``consumer/settings.py``."""
    lines = ["| variable | default | meaning |", "|---|---|---|"]
    for line in setting_lines(Settings.model_construct()):
        variable = f"{line.variable}__..." if line.name == "kafka" else line.variable
        lines.append(f"| `{variable}` | {_default(line.default)} | {line.meaning.replace('<', '&lt;')} |")
    return "\n".join(lines) + "\n"


def page_with(table: str, page: str) -> str:
    """The page with its table replaced."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table}\n{END}{after}"


def _default(value: Any) -> str:
    if value is None or value == {}:
        return ""
    return f"`{json.dumps(value) if isinstance(value, list) else value}`"


if __name__ == "__main__":
    PAGE.write_text(page_with(settings_table(), PAGE.read_text(encoding="utf-8")), encoding="utf-8")
