"""The frameworks: which there are, whether they are installed, and how to get one. Importing this is light."""

from __future__ import annotations

import importlib
import importlib.util
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.errors import BackendError

if TYPE_CHECKING:
    from engine.backends.base import Backend


@dataclass(frozen=True)
class BackendInfo:
    """A framework as the user knows it, without importing it."""

    name: str
    label: str
    package: str
    module: str

    @property
    def installed(self) -> bool:
        """Whether the framework's package can be found (0.3 ms; nothing is imported)."""
        return importlib.util.find_spec(self.package) is not None

    @property
    def version(self) -> str | None:
        """The installed version from the package's metadata, or None."""
        import importlib.metadata  # it brings the e-mail package with it, which the app's first frame need not wait for

        try:
            return importlib.metadata.version(self.package).split("+")[0]
        except importlib.metadata.PackageNotFoundError:
            return None

    @property
    def install_command(self) -> str:
        """The command that adds the framework."""
        return f"pip install 'mnist-tui[{self.name}]'"


BACKENDS: dict[str, BackendInfo] = {
    "torch": BackendInfo("torch", "PyTorch", "torch", "engine.backends.torch_backend"),
    "tensorflow": BackendInfo("tensorflow", "TensorFlow", "tensorflow", "engine.backends.tensorflow_backend"),
}


def require_installed(name: str) -> None:
    """Raise BackendError, with the command that adds it, when the backend called `name` is not installed."""
    info = BACKENDS[name]
    if not info.installed:
        raise BackendError(
            "Framework not installed",
            f"{info.label} is not installed in this environment.",
            f"Add it with: {info.install_command}",
        )


def load_backend(name: str) -> Backend:
    """Import the framework called `name` and return its backend; raise BackendError when that fails."""
    require_installed(name)
    info = BACKENDS[name]
    try:
        module = importlib.import_module(info.module)
    except Exception as error:  # a framework's own modules raise OSError, MemoryError, AttributeError …
        from engine.import_failures import explain_import

        if not isinstance(error, ImportError | OSError | MemoryError):
            traceback.print_exc()  # for worker.log: a bug in the framework, or an environment that breaks it
        raise BackendError(*explain_import(error, info.label, info.package, info.install_command)) from error
    backend: Backend = module.BACKEND
    return backend
