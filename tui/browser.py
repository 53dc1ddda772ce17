"""The app in a browser, by textual-serve: each page that is opened runs an app of its own on this machine."""

from __future__ import annotations

import ipaddress
import logging
import os
import shlex
import sys
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import click
from aiohttp import web
from textual_serve.server import Server

TAKE_KEYS = """<script>
  const waiting = setInterval(() => {
    const terminal = document.querySelector(".xterm-helper-textarea");
    if (terminal) { terminal.focus(); clearInterval(waiting); }
  }, 50);
</script>
"""
"""Without it, the page takes no keys until it is clicked."""


def is_loopback(host: str) -> bool:
    """Whether `host`, a name or an address, is reached from this machine alone."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


class AppServer(Server):
    """Serves the app that `mnist-tui` opens with `arguments`, to the pages that it has sent itself."""

    def __init__(self, arguments: Sequence[str], host: str, port: int) -> None:
        command = shlex.join([sys.executable, "-c", "from tui.cli import main; main()", *arguments])
        super().__init__(command, host=host, port=port, title="mnist-tui")

    def initialize_logging(self) -> None:
        """Say what goes wrong, but not who asks for what."""
        logging.basicConfig(level=logging.WARNING, format="%(message)s")

    def serve(self, debug: bool = False) -> None:
        """Serve until Ctrl+C; raises OSError where the port cannot be had."""
        os.environ["TERM"] = "xterm-256color"  # that of the page, whatever this terminal is
        super().serve(debug)

    async def _make_app(self) -> web.Application:
        app = await super()._make_app()
        app.middlewares.append(self._refuse_strangers)
        return app

    async def on_startup(self, app: web.Application) -> None:
        """Say where the app is."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        click.echo(f"The app is at http://{host}:{self.port} until you press Ctrl+C.")

    async def handle_index(self, request: web.Request) -> web.StreamResponse:
        """Send the page, which is to come back by the address it was asked for: a tunnel's, perhaps."""
        self.public_url = f"{request.scheme}://{request.host}"
        page: web.Response = await super().handle_index(request)
        page.text = str(page.text).replace("</body>", f"{TAKE_KEYS}</body>")
        return page

    @property
    def _refuse_strangers(self) -> Any:
        @web.middleware
        async def refuse_strangers(request: web.Request, handler: Any) -> web.StreamResponse:
            """Any web page may have its reader's browser ask this machine; only our own page may steer the app."""
            origin = request.headers.get("Origin")
            if origin and urlsplit(origin).netloc != request.host:
                raise web.HTTPForbidden(text="Only the app's own page may do this.")
            if is_loopback(self.host) and not is_loopback(urlsplit(f"//{request.host}").hostname or ""):
                raise web.HTTPForbidden(text="The app is served to this machine alone, as localhost.")
            response: web.StreamResponse = await handler(request)
            return response

        return refuse_strangers
