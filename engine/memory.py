"""How much of this machine's memory this process has held."""

from __future__ import annotations

import re
import resource
import sys
from pathlib import Path


def peak_memory_bytes() -> int:
    """Return the most bytes that this process has held at once; a GPU's own memory is not among them.

    Linux knows it of the program itself (VmHWM). What getrusage says there also counts the process that started it.
    """
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        status = ""
    if found := re.search(r"^VmHWM:\s*(\d+) kB", status, re.MULTILINE):
        return int(found[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
