"""Text in files: UTF-8, with or without a byte order mark, as the editors of all systems save it."""

from __future__ import annotations

import codecs

OTHER_ENCODINGS = {
    codecs.BOM_UTF32_LE: "UTF-32",  # before UTF-16, whose mark it begins with
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}


def decoded(content: bytes) -> str:
    """Return UTF-8 `content` as text, without a byte order mark.

    Raises a UnicodeError whose words go on from "cannot be read:" where it is in another encoding.
    """
    for mark, name in OTHER_ENCODINGS.items():
        if content.startswith(mark):
            raise UnicodeError(f"it is {name}, not UTF-8")
    try:
        return content.removeprefix(codecs.BOM_UTF8).decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UnicodeError(f"it is not UTF-8 (byte 0x{content[error.start]:02x} in line {line})") from error
