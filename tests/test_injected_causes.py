"""Each handler of a system error tells the real cause, names the path that it is about, and gives advice that helps."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.injected_causes import ROWS, Cause, Handler, problems
from tests.waiting import PATIENCE

NAMESPACE = ("unshare", "--user", "--map-root-user", "--mount")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], dict[str, str]]:
    """What each handler says of each cause; all of them are injected by one process in a namespace of its own."""
    if shutil.which(NAMESPACE[0]) is None or subprocess.run([*NAMESPACE, "true"], capture_output=True).returncode:
        pytest.skip("no user and mount namespace can be made here, which takes Linux and the right to it")
    folder = tmp_path_factory.mktemp("injected")
    answer = subprocess.run(
        [*NAMESPACE, sys.executable, "-m", "tests.injected_causes", str(folder)],
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        timeout=4 * PATIENCE,
    )
    assert answer.returncode == 0, answer.stderr
    rows = [json.loads(line) for line in answer.stdout.splitlines()]
    return {(row["handler"], row["cause"]): row for row in rows}


@pytest.mark.parametrize(("handler", "cause"), [pytest.param(*row, id=f"{row[0].name}: {row[1].name}") for row in ROWS])
def test_a_handler_tells_the_cause_the_path_and_what_helps(
    told: dict[tuple[str, str], dict[str, str]], handler: Handler, cause: Cause
) -> None:
    row = told[handler.name, cause.name]
    assert problems(handler, cause, row) == [], row
