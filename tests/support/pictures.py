"""Pictures for events."""

from __future__ import annotations

from io import BytesIO

from PIL import Image


def picture(width: int = 256, height: int | None = None, format_: str = "PNG", color: str = "teal") -> bytes:
    """A picture of one colour; square unless a height is given."""
    file = BytesIO()
    Image.new("RGB", (width, height or width), color).save(file, format_)
    return file.getvalue()
