"""Alerts by HTTP POST, each sent once. With `viewer` the only importer of requests.

An alert waits in a folder until it is delivered, so that neither a crash nor a receiver that is away for a day loses
it. It counts as sent from the moment before it is: after a crash in between, nobody can know, and it is not sent again.
"""

from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import MaxRetryError
from urllib3.util.retry import Retry

from govbr_assets.core.alert import Alert
from govbr_assets.errors import AlertRefusedError, ConfigurationError
from govbr_assets.storage import Folder

_WAITING, _SENT = "alerts/waiting", "alerts/sent"
_KEEP_DAYS = 90
_AT_ONCE = 5  # in one delivery, which a sensor's tick has a minute for
_NOT_TAKEN = (429, 500, 502, 503)
_PATIENCE: dict[str, Any] = {"backoff_factor": 0.2, "raise_on_status": False, "respect_retry_after_header": False}
_OPTIONS: dict[str, Any] = {
    "headers": {"Content-Type": "application/json"},
    "timeout": (3, 5),  # seconds to connect, seconds for an answer
    "allow_redirects": False,  # a POST would become a GET
    "stream": True,  # the status is all that counts
}


class Alerts:
    """Alerts to one receiver.

    Args:
        url: takes a JSON message by POST.
        folder: where alerts wait, and where those that were sent are remembered.
    """

    def __init__(self, url: str, folder: Folder) -> None:
        if not url.startswith(("http://", "https://")):
            raise ConfigurationError("GOVBR_ALERT_URL is malformed: write a URL such as https://hooks.example.org/abc.")
        self._url, self._folder = url, folder

    def put(self, alert: Alert) -> None:
        """Let an alert wait for its delivery, unless it does or was delivered already."""
        name = f"{alert.key}.json"
        if not self._folder.has(f"{_WAITING}/{name}") and not self._folder.has(f"{_SENT}/{name}"):
            self._folder.write(f"{_WAITING}/{name}", alert.message())

    def deliver(self) -> int:
        """Send what waits, a few at a time.

        Returns:
            How many were sent.

        Raises:
            AlertRefusedError: the receiver has not taken one, which waits on, as do those behind it.
        """
        names = [name.rsplit("/", 1)[1] for name in self._folder.names(_WAITING)][:_AT_ONCE]
        sent = sum(self._deliver(name) for name in names)
        for old in self._folder.older_than(_SENT, _KEEP_DAYS):
            self._folder.drop(old)
        return sent

    def _deliver(self, name: str) -> bool:
        """Send one alert, unless a delivery that broke off may have sent it."""
        message = self._folder.read(f"{_WAITING}/{name}")
        again = self._folder.has(f"{_SENT}/{name}")
        if message is None:
            return False
        if not again:
            self._folder.write(f"{_SENT}/{name}", message)
        self._folder.drop(f"{_WAITING}/{name}")
        if again:
            return False
        try:
            self._post(message)
        except AlertRefusedError:
            self._folder.write(f"{_WAITING}/{name}", message)
            self._folder.drop(f"{_SENT}/{name}")
            raise
        return True

    def _post(self, message: bytes) -> None:
        """Post a message; what is certain not to have been taken is tried again, and what may have been is not.

        The URL may be a secret itself, so no error names it.
        """
        tries = Retry(connect=2, read=False, status=2, status_forcelist=_NOT_TAKEN, allowed_methods=None, **_PATIENCE)
        with requests.Session() as session:
            for scheme in ("http://", "https://"):
                session.mount(scheme, HTTPAdapter(max_retries=tries))
            try:
                status = session.post(self._url, message, **_OPTIONS).status_code
            except requests.RequestException as error:
                if _may_have_been_taken(error):
                    return
                kind = type(error).__name__
                raise AlertRefusedError(f"Nobody takes alerts at GOVBR_ALERT_URL ({kind}): the alert waits.") from None
        if status not in (504, *range(200, 300)):  # 504: a gateway has passed it on and has not heard
            raise AlertRefusedError(
                f"GOVBR_ALERT_URL answers {status}: the alert waits; look at the URL and its owner."
            )


def _may_have_been_taken(error: requests.RequestException) -> bool:
    """Say whether an error came after the message was sent, and not when no connection could be had."""
    unconnected = any(isinstance(each, MaxRetryError) for each in error.args)
    return isinstance(error, requests.ConnectionError | requests.ReadTimeout) and not unconnected
