"""scikit-learn and SciPy take a second to import, so background threads do, one at a time.

Their modules import each other in circles: two threads that come from different sides would wait for each other, which
Python ends with an error.
"""

from __future__ import annotations

import importlib
import threading
from typing import Any

_importing = threading.Lock()


def slow_import(module: str) -> Any:
    """Return the module of that name, such as `sklearn.metrics`."""
    with _importing:
        return importlib.import_module(module)
