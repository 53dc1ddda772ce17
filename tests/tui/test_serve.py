"""`mnist-tui serve` sends the app to a browser, and to nobody else."""

from __future__ import annotations

import asyncio
import re
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

import pytest

from engine.process import START
from tests.tui.cli_harness import call, refused, start
from tests.waiting import PATIENCE, wait_until


class Server(NamedTuple):
    """Where the app is served, with which token, what is said of it, and what the server complains of."""

    address: str
    token: str
    advice: str
    stderr: IO[str] | None


def test_without_its_package_there_is_one_clear_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "textual_serve.server", None)
    monkeypatch.delitem(sys.modules, "tui.browser", raising=False)
    assert "pip install 'mnist-tui[serve]'" in refused(capsys, ["serve"])


@pytest.mark.parametrize(
    ("host", "message", "hint"),
    [
        ("192.0.2.1", "192.0.2.1 is not an address of this machine.", "Correct --host."),
        ("nowhere.invalid", "There is no host nowhere.invalid.", "Correct --host."),
        ("127.0.0.1", "is taken by another program.", "Try another --port."),
    ],
)
def test_an_address_that_cannot_be_had_is_told_with_the_reason(
    cli_store: Path, host: str, message: str, hint: str
) -> None:
    pytest.importorskip("textual_serve")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        answer = call("serve", "--host", host, "--port", str(taken.getsockname()[1]))
    assert answer.returncode == 2
    assert message in answer.stderr
    assert hint in answer.stderr


def test_others_are_let_in_only_with_a_warning(cli_store: Path) -> None:
    with serving("--host", "0.0.0.0") as server:
        pass
    assert server.stderr
    assert "can start training on this machine and read files of yours" in server.stderr.read()


def test_each_server_has_a_token_of_its_own_and_says_what_it_is_for(cli_store: Path) -> None:
    with serving() as one, serving() as other:
        assert len(one.token) >= 20
        assert one.token != other.token
        assert "Keep this address to yourself" in one.advice


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
    process = start("serve", "--port", str(port), *options, program=(sys.executable, "-P", str(START)))
    assert process.stdout
    found = re.search(rf":{port}/\?token=(\S+) until you press Ctrl\+C\.\n", process.stdout.readline())
    assert found
    advice = process.stdout.readline()
    with socket.socket() as visitor:
        wait_until(lambda: visitor.connect_ex(("127.0.0.1", port)) == 0, "the server listens")
    yield Server(f"http://127.0.0.1:{port}", found[1], advice, process.stderr)
    process.terminate()
    assert process.wait(PATIENCE) == 0
    process.stdout.close()


@pytest.fixture
def server(cli_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server that has nothing to warn of, started in a folder with modules of the same names as ours."""
    folder = tmp_path / "hostile"
    for name in ("tui/cli.py", "tui/__main__.py", "engine/__init__.py", "numpy.py"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("print('not ours')")
    monkeypatch.chdir(folder)
    with serving() as server:
        yield server
    assert server.stderr
    assert server.stderr.read() == ""


async def test_a_page_gets_the_app_and_a_stranger_does_not(server: Server) -> None:
    import aiohttp

    address, token = server.address, server.token
    socket_path = f"/ws/{token}?width=100&height=30"
    strangers: list[tuple[str, dict[str, str]]] = [
        ("/", {}),
        ("/?token=guess", {}),
        ("/ws", {}),
        ("/ws/guess", {}),
        ("/ws/%C3%A9", {}),
        ("/nothing", {}),
        (socket_path, {"Origin": "http://example.org"}),
        (socket_path, {"Host": "example.org"}),
    ]
    async with aiohttp.ClientSession() as client:
        for path, headers in strangers:
            async with client.get(address + path, headers=headers) as answer:
                assert answer.status == 403, (path, headers)
        for path in ("/ws", "/ws/guess"):
            with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
                await client.ws_connect(address + path)
        async with client.get(f"{address}/?token={token}") as page:
            text = await page.text()
            assert page.headers["Referrer-Policy"] == "no-referrer"
        assert "<title>mnist-tui</title>" in text
        assert f'websocket-url="{address.replace("http", "ws")}/ws/{token}"' in text
        assert "Open again" in text
        assert "googleapis" not in text
        for name in re.findall(rf'"{address}(/static/[^"]+)"', text):
            async with client.get(address + name) as answer:
                assert answer.status == 200, name
        async with client.ws_connect(address + socket_path) as terminal:
            shown = b""
            while b"Setup" not in shown or b"palette" not in shown:  # the footer, too
                message = await terminal.receive(timeout=PATIENCE)
                shown += message.data if isinstance(message.data, bytes) else b""
            assert b"mnist-tui" in shown
            await terminal.send_json(["stdin", "\x1a"])  # there is no shell to go back to
            await terminal.send_json(["stdin", "q"])
            async with asyncio.timeout(PATIENCE):
                while not terminal.closed:
                    await terminal.receive()
