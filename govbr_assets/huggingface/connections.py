"""The connections of this process to the Hub and its storage: one pool, which the client of the Hub uses as well.

A connection stays open while a run goes on: to a server far away a new one costs three times as long as a request.
Which requests are sent, and which of them again, is not decided here.
"""

from importlib import import_module
from typing import Any

from huggingface_hub import set_client_factory
from huggingface_hub.errors import HTTPError  # pyright: ignore[reportPrivateImportUsage] - its HTTP
from huggingface_hub.utils._http import hf_request_event_hook

_OPEN, _SECONDS = 128, 50.0
"""Connections that stay open without a request, and how long: a little less than servers usually allow."""


def keep_open() -> None:
    """Let the client of the Hub keep its connections open; it closes most of them after five seconds by itself."""
    set_client_factory(_client)


def _client() -> Any:
    """Make a client as the Hub's own is made, by the library that it is made with: `httpx`, or `httpx2`."""
    library: Any = import_module(HTTPError.__module__.partition(".")[0])
    limits = library.Limits(max_connections=_OPEN, max_keepalive_connections=_OPEN, keepalive_expiry=_SECONDS)
    hooks = {"request": [hf_request_event_hook]}
    return library.Client(event_hooks=hooks, follow_redirects=True, timeout=None, limits=limits)
