"""Pictures in events: base64 of a square GIF, JPEG or PNG (SEMANTICS section 10)."""

from __future__ import annotations

import binascii
import warnings
from base64 import b64decode
from io import BytesIO
from typing import Final

MAX_BYTES: Final = 5_000_000
"""Bytes of a picture, at most."""

MIN_SIDE: Final = 256
MAX_SIDE: Final = 1024

_FORMATS = ("GIF", "JPEG", "PNG")
_NOT_A_PICTURE = "must be a GIF, JPEG or PNG picture that can be read"
_WRONG_SIZE = f"must be square with sides of {MIN_SIDE} to {MAX_SIDE} pixels"
_TOO_LARGE = f"must have at most {MAX_BYTES} bytes once decoded"

_JPEG = b"\xff\xd8"
# A progressive JPEG draws the whole picture again for each scan. Encoders write about ten; a hostile file of a few
# megabytes has room for a hundred thousand.
_START_OF_SCAN = b"\xff\xda"
_MAX_SCANS = 64


def decode_picture(text: str) -> bytes:
    """The bytes of a picture that an event carries in base64; line breaks in it do not matter.

    The picture is really drawn (of an animation its first frame), but only after its head promised one that is
    small: neither many pixels nor many scans cost memory or time.

    Raises:
        ValueError: it is no base64, too large, no picture of a known format, or not square or of another size; the
            message says which, for a person.
    """
    # Four characters hold three bytes; a hopelessly long text is not decoded.
    if len(text) > 2 * MAX_BYTES:
        raise ValueError(_TOO_LARGE)
    try:
        content = b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        msg = "must be base64"
        raise ValueError(msg) from None
    if len(content) > MAX_BYTES:
        raise ValueError(_TOO_LARGE)
    with warnings.catch_warnings():
        # What is odd about a stranger's picture is no news for the log of a worker.
        warnings.simplefilter("ignore")
        _check(content)
    return content


def _check(content: bytes) -> None:
    """Raise what is wrong with a file."""
    from PIL import Image  # starts faster where no event carries a picture

    warnings.simplefilter("error", Image.DecompressionBombWarning)
    try:
        image = Image.open(BytesIO(content), formats=_FORMATS)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        msg = f"{_WRONG_SIZE}, has far more"
        raise ValueError(msg) from None
    except Exception:  # noqa: BLE001  # what a broken file raises depends on where it is broken
        raise ValueError(_NOT_A_PICTURE) from None
    with image:
        width, height = image.size
        if width != height or not MIN_SIDE <= width <= MAX_SIDE:
            msg = f"{_WRONG_SIZE}, is {width} x {height}"
            raise ValueError(msg)
        if content.startswith(_JPEG) and content.count(_START_OF_SCAN) > _MAX_SCANS:
            raise ValueError(_NOT_A_PICTURE)
        try:
            image.verify()  # a PNG to its end, which drawing does not reach; afterwards it must be opened anew
            with Image.open(BytesIO(content), formats=_FORMATS) as again:
                again.load()
        except Exception:  # noqa: BLE001  # as above
            raise ValueError(_NOT_A_PICTURE) from None
