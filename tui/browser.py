"""The app in a browser, by textual-serve: each page that is opened runs an app of its own on this machine."""

from __future__ import annotations

import hmac
import ipaddress
import logging
import os
import secrets
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp_jinja2
import click
from aiohttp import web
from textual_serve.server import Server

from engine.process import python_command

NO_TOKEN = "Open the address that `mnist-tui serve` has printed: it ends with a token, which this address lacks.\n"
OPEN_TO_ALL = ("static", "download")
"""Routes without a token: the page's scripts, and files of the app's under names of 32 random characters."""


def is_loopback(host: str) -> bool:
    """Whether `host`, a name or an address, is reached from this machine alone."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


class AppServer(Server):
    """Serves the app that `mnist-tui` opens with `arguments`, to whoever knows the address with its token."""

    def __init__(self, arguments: Sequence[str], host: str, port: int) -> None:
        command = shlex.join(python_command("tui", *arguments))
        super().__init__(
            command, host=host, port=port, title="mnist-tui", templates_path=Path(__file__).with_name("pages")
        )
        self._token = secrets.token_urlsafe(16)

    def initialize_logging(self) -> None:
        """Say what goes wrong, but not who asks for what."""
        logging.basicConfig(level=logging.WARNING, format="%(message)s")
        logging.getLogger("asyncio").setLevel(logging.ERROR)  # it warns of an app that ends later than the server

    def serve(self, debug: bool = False) -> None:
        """Serve until Ctrl+C; raises OSError where the port cannot be had."""
        os.environ["TERM"] = "xterm-256color"  # that of the page, whatever this terminal is
        os.environ.pop("LINES", None)
        super().serve(debug)

    async def _make_app(self) -> web.Application:
        app = await super()._make_app()
        app.router.add_get("/ws/{token}", self.handle_websocket)
        aiohttp_jinja2.get_env(app).globals["token"] = self._token
        app.middlewares.append(self._refuse_strangers)
        app.on_response_prepare.append(_keep_to_itself)
        return app

    async def on_startup(self, app: web.Application) -> None:
        """Say where the app is."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        click.echo(f"The app is at http://{host}:{self.port}/?token={self._token} until you press Ctrl+C.")
        click.echo("Keep this address to yourself: whoever has it can read your files and start processes as you.")

    async def handle_index(self, request: web.Request) -> web.StreamResponse:
        """Send the page, which is to come back by the address it was asked for: a tunnel's, perhaps."""
        self.public_url = f"{request.scheme}://{request.host}"
        page: web.StreamResponse = await super().handle_index(request)
        return page

    @property
    def _refuse_strangers(self) -> Any:
        @web.middleware
        async def refuse_strangers(request: web.Request, handler: Any) -> web.StreamResponse:
            """Any web page may have its reader's browser ask this machine; only our own page may steer the app."""
            origin = request.headers.get("Origin")
            if origin and urlsplit(origin).netloc != request.host:
                raise web.HTTPForbidden(text="Only the app's own page may do this.\n")
            if is_loopback(self.host) and not is_loopback(urlsplit(f"//{request.host}").hostname or ""):
                raise web.HTTPForbidden(text="The app is served to this machine alone, as localhost.\n")
            if request.match_info.route.name not in OPEN_TO_ALL and not self._has_token(request):
                raise web.HTTPForbidden(text=NO_TOKEN)
            response: web.StreamResponse = await handler(request)
            return response

        return refuse_strangers

    def _has_token(self, request: web.Request) -> bool:
        """Whether the address of `request` has the token: in its query, or as the last part of its path."""
        given = request.query.get("token") or request.match_info.get("token", "")
        return hmac.compare_digest(given.encode(), self._token.encode())  # takes as long for every wrong one


async def _keep_to_itself(request: web.Request, response: web.StreamResponse) -> None:
    """Have the browser neither keep the page nor tell its address, which has the token, to others."""
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Frame-Options"] = "DENY"
