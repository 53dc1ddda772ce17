"""`mnist-tui serve` sends the app to a browser, and to nobody else."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

import pytest

from tests.tui.cli_harness import refused, start
from tests.waiting import PATIENCE, wait_until


class Server(NamedTuple):
    """The port that is served on, and what the server has to say beside the address."""

    port: int
    stderr: IO[str] | None


def test_without_its_package_there_is_one_clear_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "textual_serve.server", None)
    monkeypatch.delitem(sys.modules, "tui.browser", raising=False)
    assert "pip install 'mnist-tui[serve]'" in refused(capsys, ["serve"])


def test_others_are_let_in_only_with_a_warning(cli_store: Path) -> None:
    with serving("--host", "0.0.0.0") as server:
        pass
    assert server.stderr
    assert "can start training on this machine and read files of yours" in server.stderr.read()


def test_what_is_reached_from_this_machine_alone() -> None:
    pytest.importorskip("textual_serve")
    from tui.browser import is_loopback

    assert [host for host in ("localhost", "::1", "127.0.0.2", "0.0.0.0", "example.org") if is_loopback(host)] == [
        "localhost", "::1", "127.0.0.2",
    ]  # fmt: skip


@contextmanager
def serving(*options: str) -> Iterator[Server]:
    """Give a real server, and end it."""
    pytest.importorskip("textual_serve")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    process = start("serve", "--port", str(port), *options)
    assert process.stdout
    assert process.stdout.readline().endswith(f":{port} until you press Ctrl+C.\n")
    with socket.socket() as visitor:
        wait_until(lambda: visitor.connect_ex(("127.0.0.1", port)) == 0, "the server listens")
    yield Server(port, process.stderr)
    process.terminate()
    assert process.wait(PATIENCE) == 0
    process.stdout.close()


@pytest.fixture
def port(cli_store: Path) -> Iterator[int]:
    """The port of a server, which has nothing to warn of."""
    with serving() as server:
        yield server.port
    assert server.stderr
    assert server.stderr.read() == ""


async def test_a_page_gets_the_app_and_a_stranger_does_not(port: int) -> None:
    import aiohttp

    address = f"http://127.0.0.1:{port}"
    async with aiohttp.ClientSession() as client:
        async with client.get(address) as page:
            text = await page.text()
        assert f'websocket-url="ws://127.0.0.1:{port}/ws"' in text
        assert "xterm-helper-textarea" in text
        for headers in ({"Origin": "http://example.org"}, {"Host": "example.org"}):
            async with client.get(f"{address}/ws", headers=headers) as answer:
                assert answer.status == 403
        async with client.ws_connect(f"{address}/ws?width=100&height=30") as terminal:
            shown = b""
            while b"Setup" not in shown:
                message = await terminal.receive(timeout=PATIENCE)
                shown += message.data if isinstance(message.data, bytes) else b""
            assert b"mnist-tui" in shown
            await terminal.send_json(["stdin", "q"])
            async with asyncio.timeout(PATIENCE):
                while not terminal.closed:
                    await terminal.receive()
