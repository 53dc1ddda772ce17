"""`mnist-tui serve` sends the app to a browser, and to nobody else."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.tui.cli_harness import refused
from tests.waiting import PATIENCE


def test_without_its_package_there_is_one_clear_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "textual_serve.server", None)
    monkeypatch.delitem(sys.modules, "tui.browser", raising=False)
    assert "pip install 'mnist-tui[serve]'" in refused(capsys, ["serve"])


def test_others_are_let_in_only_with_a_warning(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("textual_serve")
    from tui.browser import AppServer, is_loopback

    monkeypatch.setattr(AppServer, "serve", lambda self: None)
    from tui.cli import run

    assert run(["serve"]) == 0
    assert capsys.readouterr().err == ""
    assert run(["serve", "--host", "0.0.0.0", "--port", "9000"]) == 0
    assert "whoever reaches 0.0.0.0:9000 can start training on this machine" in capsys.readouterr().err
    assert [host for host in ("localhost", "::1", "127.0.0.2", "0.0.0.0", "example.org") if is_loopback(host)] == [
        "localhost", "::1", "127.0.0.2",
    ]  # fmt: skip


@pytest.mark.usefixtures("cli_store")
async def test_a_page_gets_the_app_and_a_stranger_does_not(tmp_path: Path) -> None:
    pytest.importorskip("textual_serve")
    from aiohttp.test_utils import TestClient, TestServer

    from tui.browser import AppServer

    server = AppServer(["--store", str(tmp_path / "store")], "127.0.0.1", 8000)
    async with TestClient(TestServer(await server._make_app())) as client:
        page = await (await client.get("/")).text()
        assert f'websocket-url="ws://127.0.0.1:{client.port}/ws"' in page
        assert "xterm-helper-textarea" in page
        for headers in ({"Origin": "http://example.org"}, {"Host": "example.org"}):
            assert (await client.get("/ws", headers=headers)).status == 403
        async with client.ws_connect("/ws?width=100&height=30") as socket:
            shown = b""
            while b"Setup" not in shown:
                message = await socket.receive(timeout=PATIENCE)
                shown += message.data if isinstance(message.data, bytes) else b""
            assert b"mnist-tui" in shown
            await socket.send_json(["stdin", "q"])
            while not socket.closed:
                await socket.receive(timeout=PATIENCE)
