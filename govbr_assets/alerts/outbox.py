"""Delivery of alerts by HTTP POST, with at least one attempt and, where its outcome is known, once.

An alert stays in a folder until the receiver has answered 2xx, so that neither a crash nor a receiver that is down for
a day loses it. An alert that the receiver rejects for its contents does not hold up the others. If the outcome of an
attempt is unknown (no answer, a gateway error), the alert stays and is sent again. It is marked as sent just before the
request: after a crash in between it is not sent again.
"""

import time
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests

from govbr_assets.alerts.message import Alert
from govbr_assets.errors import AlertRefusedError, MessageRefusedError
from govbr_assets.io.deadline import Deadline
from govbr_assets.io.settings import web_url
from govbr_assets.io.storage.folder import Folder
from govbr_assets.io.web import session
from govbr_assets.redact import remember_url

_WAITING, _SENT = "alerts/waiting", "alerts/sent"
_KEEP_DAYS = 90
_MAX_ALERTS = 5  # of one delivery
_MAX_SECONDS = 8  # after which a delivery sends no further alert
_ALERT_SECONDS = 5  # for one alert: name resolution, connection, redirects and response
_MAX_ATTEMPTS = 3
_RETRIED = (429, 500, 502, 503)  # status codes that say that the alert was not taken
_MESSAGE_REJECTED = (400, 413, 422)  # status codes that concern this alert only
_REDIRECTS_WITH_BODY = (307, 308)
_MAX_REDIRECTS = 5
_OPTIONS: dict[str, Any] = {
    "headers": {"Content-Type": "application/json"},
    "timeout": (3, _ALERT_SECONDS),  # seconds to connect, seconds to read
    "allow_redirects": False,  # requests turns a POST into a GET on most redirects
    "stream": True,  # only the status is read
}


class AlertOutbox:
    """Queue of alerts to one receiver.

    Args:
        url: accepts a JSON message by POST.
        folder: holds the waiting alerts and a record of those that were sent.
    """

    def __init__(self, url: str, folder: Folder) -> None:
        remember_url(url, path=True)
        self._url, self._folder = web_url("GOVBR_ALERT_URL", url, "https://hooks.example.org/abc"), folder

    def enqueue(self, alert: Alert) -> None:
        """Add an alert to the queue, unless it is waiting or was sent already."""
        name = f"{alert.key}.json"
        if not self._folder.has(f"{_WAITING}/{name}") and not self._folder.has(f"{_SENT}/{name}"):
            self._folder.write(f"{_WAITING}/{name}", alert.message())

    def deliver(self) -> int:
        """Send some of the waiting alerts, within 13 seconds.

        Returns:
            The number of alerts sent.

        Raises:
            AlertRefusedError: the receiver has not taken an alert, which stays in the queue together with those after
                it.
            MessageRefusedError: the receiver has rejected an alert for its contents; the others were sent.
        """
        began, sent, rejected = time.monotonic(), 0, None
        for name in self._waiting():
            if sent == _MAX_ALERTS or time.monotonic() - began > _MAX_SECONDS:
                break
            try:
                sent += self._deliver(name)
            except MessageRefusedError as error:
                rejected = rejected or error
        for old in self._folder.older_than(_SENT, _KEEP_DAYS) if sent else []:
            self._folder.drop(old)
        if rejected:
            raise rejected
        return sent

    def _waiting(self) -> list[str]:
        """Return the names of the waiting alerts, without files that are still being written."""
        return [name.rsplit("/", 1)[1] for name in self._folder.names(_WAITING) if name.endswith(".json")]

    def _deliver(self, name: str) -> bool:
        """Send one alert, unless an interrupted delivery may have sent it; return whether it was sent."""
        message = self._folder.read(f"{_WAITING}/{name}")
        attempted = self._folder.has(f"{_SENT}/{name}")
        if message is None:
            return False
        if not attempted:
            self._folder.write(f"{_SENT}/{name}", message)
        self._folder.drop(f"{_WAITING}/{name}")
        if attempted:
            return False
        try:
            self._post(message)
        except AlertRefusedError:
            self._folder.write(f"{_WAITING}/{name}", message)
            self._folder.drop(f"{_SENT}/{name}")
            raise
        return True

    def _post(self, message: bytes) -> None:
        """Post a message; return only if the response is 2xx.

        The URL may contain a secret, so errors do not quote it.
        """
        try:
            response = Deadline(_ALERT_SECONDS).run(lambda: _post_with_retries(self._url, message))
        except TimeoutError:
            text = f"GOVBR_ALERT_URL gave no answer within {_ALERT_SECONDS} s: the alert waits."
            raise AlertRefusedError(text) from None
        except (requests.RequestException, OSError) as error:
            raise AlertRefusedError(f"{_reason(error)} ({type(error).__name__}): the alert waits.") from None
        if response.is_redirect or response.is_permanent_redirect:
            host = urlsplit(urljoin(self._url, response.headers["Location"])).hostname
            raise AlertRefusedError(
                f"GOVBR_ALERT_URL answers {response.status_code} and redirects to {host}: the alert waits; set it to"
                " the address that takes alerts."
            )
        if not 200 <= response.status_code < 300:
            raise (MessageRefusedError if response.status_code in _MESSAGE_REJECTED else AlertRefusedError)(
                f"GOVBR_ALERT_URL answers {response.status_code}: the alert waits; look at the URL and its owner."
            )


def _post_with_retries(url: str, message: bytes) -> requests.Response:
    """Post a message; post it again if the status says that it was not taken."""
    response = requests.Response()
    for attempt in range(_MAX_ATTEMPTS):
        time.sleep(0.2 * attempt)
        response = _post_with_redirects(url, message)
        if response.status_code not in _RETRIED:
            break
    return response


def _post_with_redirects(url: str, message: bytes) -> requests.Response:
    """Post a message, and follow redirects that preserve method and body, but never from https to http."""
    response = requests.Response()
    for _ in range(_MAX_REDIRECTS + 1):
        with session(url) as client:
            response = client.post(url, message, **_OPTIONS)
        target = urljoin(url, response.headers.get("Location", ""))
        downgrade = url.startswith("https:") and not target.startswith("https:")
        if response.status_code not in _REDIRECTS_WITH_BODY or "Location" not in response.headers or downgrade:
            break
        url = target
    return response


def _reason(error: Exception) -> str:
    """Return why there is no response."""
    if isinstance(error, requests.exceptions.SSLError):
        return "The certificate of GOVBR_ALERT_URL is not valid"
    if isinstance(error, requests.Timeout):
        return "GOVBR_ALERT_URL gave no answer in time"
    return "Nobody takes alerts at GOVBR_ALERT_URL"
