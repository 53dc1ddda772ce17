"""`mnist-tui serve`: the app in a browser."""

from __future__ import annotations

import errno
import signal
import socket

import click

from engine.causes import explain
from engine.errors import EngineError
from engine.import_failures import explain_import
from tui.commands.options import GroupOptions, notify, store_option


@click.command(short_help="Show the app in a browser.")
@click.option("--host", metavar="NAME", default="127.0.0.1", show_default=True, help="The address to be reached at.")
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="The port.")
@store_option
@click.pass_obj
def serve(group: GroupOptions, /, host: str, port: int, store_path: str | None) -> None:
    """Show the app in a browser, on this machine alone unless --host says otherwise.

    Each page is an app of its own; closing it leaves its runs training. From another machine, better go through
    SSH: ssh -L 8000:localhost:8000 HOST.

    The address has a token, new each time. Others who can log in to this machine reach the port, too, but get nothing
    without it. Whoever has the address can use the app as you: read your files and start processes. So keep it to
    yourself; the administrators of this machine can read it in any case.
    """
    try:
        from tui.browser import AppServer, is_loopback
    except ImportError as error:
        install = "pip install 'mnist-tui[serve]'"
        raise EngineError(
            *explain_import(error, "The app in a browser (textual-serve)", "textual_serve", install)
        ) from error
    if not is_loopback(host):
        notify(
            f"Warning: {host}:{port} is reached from other machines, unencrypted: whoever reads the address on its way "
            "can start training on this machine and read files of yours."
        )
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)  # a visitor who leaves must not end the server
    try:
        AppServer(_arguments(group, store_path), host, port).serve()
    except OSError as error:
        raise EngineError("Cannot serve", *_refusal(error, host, port)) from error


def _refusal(error: OSError, host: str, port: int) -> tuple[str, str]:
    """Say why nothing can be served at `host` and `port`, and what to do about it."""
    if isinstance(error, socket.gaierror):
        return f"There is no host {host}.", "Correct --host."
    match error.errno:
        case errno.EADDRINUSE:
            return f"{host}:{port} is taken by another program.", "Try another --port."
        case errno.EADDRNOTAVAIL:
            return f"{host} is not an address of this machine.", "Correct --host."
        case errno.EACCES | errno.EPERM if port < 1024:
            return f"{host}:{port} is not for every user: ports below 1024 take root.", "Use a --port from 1024 on."
        case _ if not error.filename:
            return f"{host}:{port} cannot be served: {error.strerror or error}.", ""
    return explain(error, "used")


def _arguments(group: GroupOptions, store_path: str | None) -> list[str]:
    """Return the options for the app of each page."""
    options = {"--store": store_path or group.store_path, "--theme": group.theme}
    given = [f"{name}={value}" for name, value in options.items() if value]
    return [*given, *(["--ascii"] if group.use_ascii else [])]
