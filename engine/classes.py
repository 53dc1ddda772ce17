"""The names of a dataset's classes, and which class a name means."""

from __future__ import annotations

from collections.abc import Sequence

from engine.errors import DataError
from engine.events import DatasetInfo

DIGITS = tuple("0123456789")
MOST_LISTED = 20


def class_names_of(info: DatasetInfo | None) -> tuple[str, ...]:
    """Return the names of a dataset's classes, in the order of their labels; the digits' where it does not tell."""
    return (info.class_names if info else ()) or DIGITS


def find_class(text: str, class_names: Sequence[str]) -> int:
    """Return the label of the class that `text` means. Raises DataError where that is none or several.

    It may be a name in upper or lower case, the beginning of only one name, or, unless a name is a number, the label.
    """
    wanted = text.strip()
    if wanted in class_names:
        return list(class_names).index(wanted)
    names = [name.casefold() for name in class_names]
    found = [label for label, name in enumerate(names) if name == wanted.casefold()]
    found = found or [label for label, name in enumerate(names) if wanted and name.startswith(wanted.casefold())]
    if len(found) == 1:
        return found[0]
    if wanted.isdecimal() and int(wanted) < len(names) and not any(name.isdecimal() for name in names):
        return int(wanted)
    if found:
        meant = ", ".join(class_names[label] for label in found[:MOST_LISTED])
        raise DataError("Which class?", f"“{text}” may be {meant}.", "Type more of the name.")
    listed = ", ".join(class_names[:MOST_LISTED]) + (" …" if len(names) > MOST_LISTED else "")
    raise DataError("No such class", f"No class is called “{text}”.", f"The classes are: {listed}.")
