"""Pictures: what an avatar may be, and that a hostile one costs nothing."""

from __future__ import annotations

import struct
import zlib
from base64 import b64encode, encodebytes

import pytest

from consumer.contracts.pictures import MAX_BYTES, decode_picture
from tests.support.pictures import picture

NOT_A_PICTURE = "must be a GIF, JPEG or PNG picture that can be read"
WRONG_SIZE = "must be square with sides of 256 to 1024 pixels"


def refused(content: bytes) -> str:
    with pytest.raises(ValueError, match=r"^must ") as refusal:
        decode_picture(b64encode(content).decode())
    return str(refusal.value)


def chunk(type_: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + type_ + content + struct.pack(">I", zlib.crc32(type_ + content))


def png_of_size(side: int, *, pixels: bytes) -> bytes:
    """A PNG whose head promises a size, whatever its pixels are."""
    head = struct.pack(">IIBBBBB", side, side, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("format_", ["GIF", "JPEG", "PNG"])
@pytest.mark.parametrize("side", [256, 1024])
def test_square_picture_is_taken_as_it_is(format_: str, side: int) -> None:
    content = picture(side, format_=format_)

    assert decode_picture(b64encode(content).decode()) == content
    assert decode_picture(encodebytes(content).decode()) == content


@pytest.mark.parametrize(
    "text", ["?", "abc", "YQ==YQ==", "YQ===", "data:image/png;base64,YQ==", "\u00e4bcd", "YWJj-_=="]
)
def test_text_that_is_no_base64(text: str) -> None:
    with pytest.raises(ValueError, match=r"^must be base64$"):
        decode_picture(text)


@pytest.mark.parametrize(
    "content", [b"", b"text", b"GIF89a", b"\x89PNG\r\n\x1a\n", picture(format_="BMP"), picture(format_="WEBP")]
)
def test_file_that_is_no_picture_of_a_known_format(content: bytes) -> None:
    assert refused(content) == NOT_A_PICTURE


@pytest.mark.parametrize("format_", ["GIF", "JPEG", "PNG"])
def test_picture_that_is_cut_off(format_: str) -> None:
    content = picture(format_=format_)

    assert refused(content[: len(content) * 3 // 4]) == NOT_A_PICTURE


def test_png_that_ends_after_its_last_pixel() -> None:
    end = chunk(b"IEND", b"")

    assert refused(picture(format_="PNG").removesuffix(end)) == NOT_A_PICTURE


@pytest.mark.parametrize(("width", "height"), [(255, 255), (1025, 1025), (256, 257), (1024, 256), (1, 1)])
def test_picture_of_another_size(width: int, height: int) -> None:
    assert refused(picture(width, height)) == f"{WRONG_SIZE}, is {width} x {height}"


def test_picture_of_too_many_bytes() -> None:
    content = picture()

    assert decode_picture(b64encode(content + bytes(MAX_BYTES - len(content))).decode())
    assert refused(content + bytes(MAX_BYTES + 1 - len(content))) == "must have at most 5000000 bytes once decoded"


def test_text_far_too_long_is_not_even_decoded() -> None:
    with pytest.raises(ValueError, match=r"^must have at most 5000000 bytes"):
        decode_picture("?" * (2 * MAX_BYTES + 1))


@pytest.mark.parametrize(
    ("side", "found"), [(5000, "is 5000 x 5000"), (12_000, "has far more"), (2**31 - 1, "has far more")]
)
def test_bomb_is_judged_by_its_head(side: int, found: str) -> None:
    assert refused(png_of_size(side, pixels=bytes(50_000_000))) == f"{WRONG_SIZE}, {found}"


def test_jpeg_of_many_scans_is_not_drawn() -> None:
    content = picture(format_="JPEG")
    scan = content[content.index(b"\xff\xda") : -2]

    assert refused(content[:-2] + scan * 100 + b"\xff\xd9") == NOT_A_PICTURE
