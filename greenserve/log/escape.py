"""What may stand in a log: nothing that ends a line, begins one or moves a terminal's cursor."""

import re


def escape_character(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


# Printable ASCII, but for the quote and the backslash that would make a value ambiguous.
_UNSAFE = re.compile(r"[^ !#-\[\]-~]")
#: What may stand as it is, for bytes.translate to take away.
SAFE = _UNSAFE.sub("", bytes(range(128)).decode()).encode()


def escape(text: str) -> str:
    r"""Return *text* as plain ASCII, every other character as its code: `\x0a`.

    The strings of environ hold one byte in each character, so the line shows
    the very bytes that came.
    """
    return _UNSAFE.sub(lambda match: escape_character(match[0]), text)


def escape_controls(text: str) -> str:
    """Return *text* on one line and without terminal codes, in whatever script it is written."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else escape_character(character) for character in text)
