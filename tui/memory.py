"""What the app remembers from one session to the next: small files in the user's state folder, none of them needed."""

from __future__ import annotations

import threading
from pathlib import Path

from engine.files import write_atomically
from engine.folders import state_folder
from engine.regular_files import read_regular

MOST_BYTES = 1024 * 1024


class Memory:
    """Texts by name, in `folder`. Where that can be neither read nor written, nothing is remembered."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def recall(self, name: str) -> str:
        """Return what was kept under `name`, or an empty text."""
        try:
            return read_regular(self._folder / name, MOST_BYTES, follow=True).decode().strip()
        except (OSError, ValueError):
            return ""

    def keep(self, name: str, text: str) -> None:
        """Keep `text` under `name`, on a thread: the disk may be slow."""
        threading.Thread(target=self._write, args=(name, text), name="remember", daemon=True).start()

    def _write(self, name: str, text: str) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_atomically(self._folder / name, lambda file: file.write(f"{text}\n".encode()))
        except OSError:  # a full disk, or a home folder that is read-only
            return


def users_memory() -> Memory:
    """Return the memory of the user who runs this process."""
    return Memory(state_folder() / "remembered")
