"""Why a Python package cannot be imported, and what to do: missing, out of memory, or a library it cannot load."""

from __future__ import annotations

import re
import sys
from subprocess import CompletedProcess
from typing import NamedTuple

from engine.causes import memory_is_limited, memory_problem


class ImportFailure(NamedTuple):
    """`title` in a few words, `message` in a sentence, `hint`: what to do."""

    title: str
    message: str
    hint: str


_NO_MEMORY = re.compile(
    r"MemoryError|bad_alloc|[Cc]annot allocate memory(?! in static TLS)|failed to map segment|cannot create shared"
    r"|not enough memory|OpenBLAS.*pthread_create failed|cannot apply additional memory protection",
)
_MISSING_LIBRARY = re.compile(
    r"([\w.+-]+\.(?:so|dylib)[\w.]*): cannot open shared object file: No such file|Library not loaded: (\S+)"
    r"|Could not load dynamic library '([^']+)'",
)
_UNREADABLE_LIBRARY = re.compile(r"(\S+): cannot open shared object file: (?!No such file)(.+)")
_OLD_SYSTEM = re.compile(r"version [`‘']?(GLIBC\w*_[\d.]+)['’]? not found")
_DAMAGED_LIBRARY = re.compile(
    r"(\S+): (?:file too short|invalid ELF header|wrong ELF class|.*incompatible architecture)"
)

_KNOWN = re.compile("|".join(p.pattern for p in (_NO_MEMORY, _MISSING_LIBRARY, _UNREADABLE_LIBRARY, _OLD_SYSTEM)))


def explain_import(error: BaseException | str, label: str, package: str, install: str) -> ImportFailure:
    """Return why `label`, the package called `package`, cannot be imported; `install` is the command that adds it.

    `error` is what the import raised, or what a process that tried it printed last.
    """
    text = f"{type(error).__name__}: {error}" if isinstance(error, BaseException) else error
    anew = f"{install} --force-reinstall"
    if other := _shadow(error, package):
        message = f"{other} is imported in the place of a package that {label} needs."
        return ImportFailure("Package hidden", message, "Rename that file, or take its folder out of PYTHONPATH.")
    if isinstance(error, ModuleNotFoundError) and error.name:
        return _missing_module(error.name, label, package, install)
    if _NO_MEMORY.search(text):
        reason, advice = memory_problem()
        return ImportFailure("Out of memory", f"{label} could not be loaded: {reason}.", advice)
    if found := _OLD_SYSTEM.search(text):
        message = f"{label} needs {found[1]}, which this system does not have: it is too old for this build."
        return ImportFailure("System too old", message, f"Install an older release of {package}, or update the system.")
    if found := _MISSING_LIBRARY.search(text):
        library = next(filter(None, found.groups()))
        message = f"{label} is installed, but the library {library} that it needs is missing."
        return ImportFailure("Library missing", message, f"Install that library, or {label} anew: {anew}")
    if found := _UNREADABLE_LIBRARY.search(text):
        message = f"{label} is installed, but {found[1]} cannot be opened: {found[2].strip().rstrip('.').lower()}."
        return ImportFailure("Library not readable", message, "Correct the rights of that file.")
    if found := _DAMAGED_LIBRARY.search(text):
        message = f"{label} is installed, but its library {found[1]} is damaged or made for another processor."
        return ImportFailure("Library damaged", message, f"Install it anew: {anew}")
    message = f"{label} is installed, but importing it fails: {text.strip().splitlines()[-1][:300].rstrip('.')}."
    if memory_is_limited():
        hint = f"Its memory is limited, which may be why. {memory_problem()[1]}"
        return ImportFailure("Framework does not load", message, hint)
    return ImportFailure("Framework does not load", message, f"Install it anew: {anew}")


def died(answer: CompletedProcess[bytes], label: str, package: str, install: str) -> tuple[str, str]:
    """Return why a process that was to use `label` ended without an answer, from its last words, and what to do."""
    said = answer.stderr.decode(errors="replace").strip()
    status = f"signal {-answer.returncode}" if answer.returncode < 0 else f"exit status {answer.returncode}"
    if _KNOWN.search(said):
        _, message, hint = explain_import(said, label, package, install)
        return message, hint
    last = said.splitlines()[-1][:300] if said else "It said nothing."
    hint = f"Its memory is limited, which may be why. {memory_problem()[1]}" if memory_is_limited() else ""
    return f"{label} ended early ({status}): {last}", hint


def _missing_module(name: str, label: str, package: str, install: str) -> ImportFailure:
    if name == package:
        return ImportFailure("Not installed", f"{label} is not installed in this environment.", f"Add it: {install}")
    if name.partition(".")[0] == package:
        message = f"{label} is installed only in part: its module {name} is missing."
        return ImportFailure("Framework damaged", message, f"Install it anew: {install} --force-reinstall")
    message = f"{label} needs the Python package “{name.partition('.')[0]}”, which is not installed."
    return ImportFailure("Package missing", message, f"Add what is missing: {install}")


def _shadow(error: BaseException | str, package: str) -> str:
    """Return the user's own file that was imported under the name of a package, or ""."""
    path = getattr(error, "path", None) or ""
    if "is not a package" in str(error):
        path = getattr(sys.modules.get(package), "__file__", None) or ""
    is_installed = any(part in path for part in ("site-packages", "dist-packages", "lib-dynload"))
    return path if path.endswith(".py") and not is_installed else ""
