"""Alerts by HTTP POST.

An alert waits in a folder until the receiver has answered 2xx, so that neither a crash nor a receiver that is away for
a day loses it; one that the receiver refuses for what it says lets the others pass. Where nobody can know whether it
was taken (no answer, a gateway that has not heard) it waits on and is sent again. It counts as sent from the moment
before it is: after a crash in between it is not sent again.
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
_AT_ONCE = 5  # in one delivery
_SECONDS = 8  # after which a delivery begins no other alert
_ANSWER = 5  # seconds for one alert: name, connection, redirects and answer
_TRIES = 3  # for what the receiver says that it has not taken
_NOT_TAKEN = (429, 500, 502, 503)
_OF_THE_MESSAGE = (400, 413, 422)  # say nothing against the next one
_KEPT_METHOD = (307, 308)
_REDIRECTS = 5
_OPTIONS: dict[str, Any] = {
    "headers": {"Content-Type": "application/json"},
    "timeout": (3, _ANSWER),  # seconds to connect, seconds for an answer
    "allow_redirects": False,  # after most of them a POST would become a GET
    "stream": True,  # the status is all that counts
}


class AlertOutbox:
    """Alerts to one receiver.

    Args:
        url: takes a JSON message by POST.
        folder: where alerts wait, and where those that were sent are remembered.
    """

    def __init__(self, url: str, folder: Folder) -> None:
        remember_url(url, path=True)
        self._url, self._folder = web_url("GOVBR_ALERT_URL", url, "https://hooks.example.org/abc"), folder

    def put(self, alert: Alert) -> None:
        """Let an alert wait for its delivery, unless it does or was delivered already."""
        name = f"{alert.key}.json"
        if not self._folder.has(f"{_WAITING}/{name}") and not self._folder.has(f"{_SENT}/{name}"):
            self._folder.write(f"{_WAITING}/{name}", alert.message())

    def deliver(self) -> int:
        """Send what waits, a few at a time, for 13 seconds at most.

        Returns:
            How many were sent.

        Raises:
            AlertRefusedError: the receiver has not taken one, which waits on, as do those behind it unless it was
                the one that was refused.
        """
        began, sent, refused = time.monotonic(), 0, None
        for name in self._waiting():
            if sent == _AT_ONCE or time.monotonic() - began > _SECONDS:
                break
            try:
                sent += self._deliver(name)
            except MessageRefusedError as error:
                refused = refused or error
        for old in self._folder.older_than(_SENT, _KEEP_DAYS) if sent else []:
            self._folder.drop(old)
        if refused:
            raise refused
        return sent

    def _waiting(self) -> list[str]:
        """Name what waits, and not what somebody is just writing, or has not written to its end."""
        return [name.rsplit("/", 1)[1] for name in self._folder.names(_WAITING) if name.endswith(".json")]

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
        """Post a message, and return only if its answer says that it was taken.

        The URL may be a secret itself, so no error names it.
        """
        try:
            answer = Deadline(_ANSWER).run(lambda: _answer(self._url, message))
        except TimeoutError:
            raise AlertRefusedError(f"GOVBR_ALERT_URL gave no answer within {_ANSWER} s: the alert waits.") from None
        except (requests.RequestException, OSError) as error:
            raise AlertRefusedError(f"{_reason(error)} ({type(error).__name__}): the alert waits.") from None
        if answer.is_redirect or answer.is_permanent_redirect:
            host = urlsplit(urljoin(self._url, answer.headers["Location"])).hostname
            raise AlertRefusedError(
                f"GOVBR_ALERT_URL answers {answer.status_code} and sends us to {host}: the alert waits; set it to the"
                " address that takes alerts."
            )
        if not 200 <= answer.status_code < 300:
            raise (MessageRefusedError if answer.status_code in _OF_THE_MESSAGE else AlertRefusedError)(
                f"GOVBR_ALERT_URL answers {answer.status_code}: the alert waits; look at the URL and its owner."
            )


def _answer(url: str, message: bytes) -> requests.Response:
    """Post, again where the answer says that nothing was taken, and onwards where a redirect wants the same POST."""
    answer = requests.Response()
    for number in range(_TRIES):
        time.sleep(0.2 * number)
        answer = _followed(url, message)
        if answer.status_code not in _NOT_TAKEN:
            break
    return answer


def _followed(url: str, message: bytes) -> requests.Response:
    """Post, and follow redirects that keep method and body, never from TLS to a connection without."""
    answer = requests.Response()
    for _ in range(_REDIRECTS + 1):
        with session(url) as made:
            answer = made.post(url, message, **_OPTIONS)
        target = urljoin(url, answer.headers.get("Location", ""))
        weaker = url.startswith("https:") and not target.startswith("https:")
        if answer.status_code not in _KEPT_METHOD or "Location" not in answer.headers or weaker:
            break
        url = target
    return answer


def _reason(error: Exception) -> str:
    """Say why there is no answer."""
    if isinstance(error, requests.exceptions.SSLError):
        return "The certificate of GOVBR_ALERT_URL is not valid"
    if isinstance(error, requests.Timeout):
        return "GOVBR_ALERT_URL gave no answer in time"
    return "Nobody takes alerts at GOVBR_ALERT_URL"
