"""Start mnist-tui: its command, and with `-m MODULE` the processes that it starts itself.

It settles three things before it imports anything that is not part of Python's own start:

- The working directory is not searched for modules, even where an empty part of PYTHONPATH asks for it.
- Ctrl+C during the start ends the process at once, without a traceback.
- `engine` and `tui` are the folders next to this file. Other programs use these names, too: a file of theirs on
  PYTHONPATH or in site-packages must not be imported instead.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # as in typing, which takes time to import
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import FrameType
    from typing import NoReturn

HOME = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120  # pathlib takes time, too
PACKAGES = ("engine", "tui")


class OwnPackages:
    """A finder (see importlib.abc.MetaPathFinder) that knows this program's packages and nothing else."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """Return where the package `name` is, or None to let others look."""
        if name not in PACKAGES:
            return None
        from importlib.machinery import PathFinder

        return PathFinder.find_spec(name, [HOME])


def end_quietly(number: int, frame: FrameType | None) -> NoReturn:
    """Handle a signal: end at once, with the exit status that shells give it."""
    os._exit(128 + number)


def prepare() -> None:
    """Settle what this module's docstring lists."""
    _leave_out_working_directory()
    import signal

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # under nohup it is ignored, and stays so
        signal.signal(signal.SIGINT, end_quietly)
    sys.meta_path.insert(0, OwnPackages)


def _leave_out_working_directory() -> None:
    parts = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if len(parts) > 1 and "" in parts:  # as `PYTHONPATH=$PYTHONPATH:/folder` leaves it
        try:
            sys.path.remove(os.getcwd())  # noqa: PTH109
        except (OSError, ValueError):
            return  # it is deleted, or not searched


def run_module(name: str, arguments: list[str]) -> None:
    """Run the module `name` as `python -m` does."""
    prepare()
    import runpy

    sys.argv = [name, *arguments]
    runpy.run_module(name, run_name="__main__", alter_sys=True)


def main() -> None:
    """Be the `mnist-tui` command."""
    prepare()
    try:
        from tui.cli import main as command
    except (ImportError, MemoryError) as error:
        sys.exit(_explained(error))
    command()


def _explained(error: ImportError | MemoryError) -> str:
    """Return why the command cannot be imported: this program is damaged, or what it needs is missing."""
    if (getattr(error, "name", None) or "").partition(".")[0] not in PACKAGES:
        try:
            from engine.import_failures import explain_import
        except (ImportError, MemoryError):
            pass
        else:
            title, message, hint = explain_import(error, "mnist-tui", "mnist_tui", "pip install mnist-tui")
            return f"Error: {title}\n  {message}\n  {hint}"
    return (
        f"Error: mnist-tui is not installed correctly\n  {error}\n"
        f"  Its packages {' and '.join(PACKAGES)} should be in {HOME}. Reinstall it: "
        "pip install --force-reinstall mnist-tui"
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["-m"]:
        run_module(sys.argv[2], sys.argv[3:])
    else:
        main()
