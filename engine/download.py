"""Downloading MNIST into the user's cache, as a generator of progress events."""

from __future__ import annotations

import gzip
import io
import os
import time
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

from engine import folders, idx
from engine.causes import Explanation, explain
from engine.errors import DataError
from engine.events import DownloadProgressed

# torchvision's mirror, and the one that Google keeps of the same files.
MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
# Of the unzipped files: mirrors zip differently. Small files first: they soon tell whether a mirror answers.
SHA256 = {
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
}
LARGEST_FILE = 47_040_016
CHUNK_BYTES = 16 * 1024
PATIENCE_SECONDS = 5.0
STALL_SECONDS = 15.0
REPORT_SECONDS = 0.1
CHECK_NETWORK = "Check the network."


def cache_folder() -> Path:
    """Return the folder that MNIST is downloaded to; it need not exist."""
    return folders.cache_folder() / "mnist"


def download_steps(
    folder: Path | None = None, base_urls: Sequence[str] = MIRRORS, patience: float = PATIENCE_SECONDS
) -> Iterator[DownloadProgressed]:
    """Download what `folder` (the cache) lacks of MNIST's four files, unzipped, and yield the progress of each.

    Every file is checked by its sha256 and appears in the folder only when it is complete. The mirrors are tried
    in turn, and have `patience` seconds between them to begin to answer. Raises DataError, which tells what
    became of each, when none delivers.
    """
    folder = folder or cache_folder()
    failures, advice = [], []
    for base_url in base_urls:
        try:
            yield from _mirror_steps(base_url, folder, patience / len(base_urls))
        except DataError as error:
            failures.append(error.message)
            advice.append(error.hint)
        else:
            return
    raise DataError(
        "Download failed",
        f"MNIST could not be downloaded: {'; '.join(dict.fromkeys(failures))}.",
        f"{' '.join(dict.fromkeys(advice))} Or point --data at a folder that holds MNIST.",
    )


def _mirror_steps(base_url: str, folder: Path, patience: float) -> Iterator[DownloadProgressed]:
    for name, sha256 in SHA256.items():
        download = _Download(f"{base_url.rstrip('/')}/{name}.gz", folder / name, sha256)
        try:
            yield from download.steps(patience)
        except (OSError, ValueError, EOFError, MemoryError, zlib.error, Empty) as error:
            raise DataError("Download failed", *download.reason(error)) from error
        patience = STALL_SECONDS


class _Download:
    """One file's download, in a thread of its own that tells of its progress."""

    def __init__(self, url: str, path: Path, sha256: str) -> None:
        self.url, self.path, self.sha256 = url, path, sha256
        self._total = 0
        self._abandoned = False
        # Bytes received so far; at the end None, or what went wrong.
        self._news: SimpleQueue[int | Exception | None] = SimpleQueue()

    def steps(self, patience: float) -> Iterator[DownloadProgressed]:
        """Download and yield progress; raise what went wrong, Empty when nothing came for `patience` seconds.

        The thread is a daemon because neither name resolution nor a server's silence ends when we would like: one
        that hangs is left behind, and stops when it next hears from the network.
        """
        Thread(target=self._run, daemon=True, name=f"download of {self.path.name}").start()
        received, due = 0, 0.0
        try:
            while (news := self._news.get(timeout=patience)) is not None:
                if isinstance(news, Exception):
                    raise news
                received, patience = news, STALL_SECONDS
                if time.monotonic() >= due:
                    due = time.monotonic() + REPORT_SECONDS
                    yield self._event(received)
        finally:
            self._abandoned = True
        if received:
            yield self._event(received)

    def reason(self, error: Exception) -> Explanation:
        """Say in words what `error` means for this download, and what to do about it."""
        from requests import Response, exceptions

        host, name = urlsplit(self.url).netloc, self.path.name
        match error:
            case exceptions.HTTPError(response=Response(status_code=status, reason=phrase)):
                return Explanation(f"{host} answered {status} {phrase}", CHECK_NETWORK)
            case exceptions.Timeout() | Empty():
                return Explanation(f"{host} did not answer in time", CHECK_NETWORK)
            case exceptions.ChunkedEncodingError():
                return Explanation(f"{host} broke off inside {name}", "Try again.")
            case exceptions.SSLError():
                return _untrusted(host, error)
            case exceptions.ProxyError():
                proxy = _proxy_of(self.url)
                return Explanation(f"{host} cannot be reached through the proxy {proxy}", "Correct https_proxy.")
            case exceptions.ConnectionError():
                return Explanation(f"{host} cannot be reached", CHECK_NETWORK)
            case exceptions.RequestException():
                return Explanation(f"{host} cannot be used ({error})", CHECK_NETWORK)
            case OSError(errno=None) if not isinstance(error, gzip.BadGzipFile):
                return _no_certificates(error)  # requests says so before it asks the network for anything
            case OSError() | MemoryError() if not isinstance(error, gzip.BadGzipFile):
                return self._not_written(error)
            case _:
                return Explanation(f"what {host} sent as {name} is not MNIST's: its sha256 differs", "Try again.")

    def _not_written(self, error: OSError | MemoryError) -> Explanation:
        if isinstance(error, OSError) and error.filename and Path(error.filename).parent == self.path.parent:
            error.filename = str(self.path)  # pooch writes to a temporary file beside it
        message, advice = explain(error, "written", self.path)
        return Explanation(message.rstrip("."), advice)

    def _event(self, received: int) -> DownloadProgressed:
        return DownloadProgressed(file=self.path.name, received_bytes=received, total_bytes=self._total)

    def _run(self) -> None:
        import pooch

        pooch.get_logger().setLevel("WARNING")
        try:
            pooch.retrieve(
                self.url, self.sha256, fname=self.path.name, path=self.path.parent, downloader=self._download_unzipped
            )
        except Exception as error:
            self._news.put(error)
        else:
            self._news.put(None)

    def _download_unzipped(self, url: str, output_file: str, _pooch: Any) -> None:
        """Download `url` and write it, unzipped, to `output_file`, as pooch asks of a downloader."""
        import requests

        body = io.BytesIO()
        # Longer than `steps` waits, which decides; the timeout only ends a thread that was left behind.
        with requests.get(url, stream=True, timeout=2 * STALL_SECONDS) as response:
            response.raise_for_status()
            if "Content-Encoding" not in response.headers:  # else requests unzips, and the length is another
                self._total = int(response.headers.get("Content-Length", 0))
            for chunk in response.iter_content(CHUNK_BYTES):
                body.write(chunk)
                if self._abandoned or body.tell() > LARGEST_FILE:
                    raise ValueError("nobody waits for this file any more, or it is larger than any of MNIST's")
                self._news.put(body.tell())
        body.seek(0)
        Path(output_file).unlink()  # which pooch made for this user alone; a new one has the mode that the umask leaves
        Path(output_file).write_bytes(idx.unzipped(body).read(LARGEST_FILE + 1))


def _untrusted(host: str, error: Exception) -> Explanation:
    """Return why the certificate of `host` is not trusted: by the user's own certificates, or by the usual ones."""
    if name := _certificate_variable():
        return Explanation(
            f"{host} has no certificate that is trusted by {os.environ[name]}, which {name} names", f"Correct {name}."
        )
    if "not yet valid" in str(error) or "has expired" in str(error):
        return Explanation(f"the certificate of {host} is not valid at this time", "Check this machine's clock.")
    advice = "Behind a proxy that opens connections, name its certificates in REQUESTS_CA_BUNDLE."
    return Explanation(f"{host} has no certificate that this machine trusts", advice)


def _no_certificates(error: Exception) -> Explanation:
    """Return why the certificates to trust cannot be read; requests' own words where no variable names them."""
    if name := _certificate_variable():
        path = Path(os.environ[name])
        why = "which is not there" if not path.exists() else "which does not hold certificates that can be read"
        return Explanation(f"{name} names {path}, {why}", f"Correct or unset {name}.")
    return Explanation(f"no download is possible ({error})", CHECK_NETWORK)


def _certificate_variable() -> str:
    """Return the variable that requests takes its certificates from, or ""."""
    return next((name for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE") if os.environ.get(name)), "")


def _proxy_of(url: str) -> str:
    from requests.utils import get_environ_proxies, select_proxy

    proxy = urlsplit(select_proxy(url, get_environ_proxies(url)) or "")
    return f"{proxy.hostname}:{proxy.port}" if proxy.port else proxy.hostname or "of this machine"  # without a password
