"""Requests to the dataset viewer: an answer is used only if it is certain, and an unreachable viewer is asked once.

An answer is certain if it has status 200, is not partial, and comes from the requested revision. Any other answer is an
error, never an empty set.
"""

import json
from threading import Lock
from typing import Any

import requests
from urllib3.exceptions import MaxRetryError
from urllib3.util.retry import Retry

from govbr_assets.errors import ConfigurationError, HubDeniedError, ViewerUncertainError
from govbr_assets.io.deadline import Deadline
from govbr_assets.io.settings import base_url
from govbr_assets.io.web import session

_ANSWER_SECONDS = 10  # for one response; if the viewer is slower, reading the files is faster
_MAX_BYTES = 32 << 20  # of a response; a page of ordinary news has half a megabyte


class ViewerSession:
    """HTTP session for one dataset of the viewer, which several threads may use.

    Args:
        url: such as `https://datasets-server.huggingface.co`.
        repo_id: `namespace/name` of the dataset.
        token: for private datasets; None sends no credentials.

    Attributes:
        requests: number of requests so far.
    """

    def __init__(self, url: str, repo_id: str, token: str | None = None) -> None:
        self._url = base_url("GOVBR_VIEWER_URL", url, "https://viewer.example.org")
        if not self._url:
            raise ConfigurationError("GOVBR_VIEWER_URL is empty: write a URL, or leave it out for the public viewer.")
        self._repo_id, self.requests, self._counting = repo_id, 0, Lock()
        # Errors of a gateway are retried at once; with a 500 the viewer says that it is not ready.
        retry = Retry(connect=1, read=False, other=0, status=3, backoff_factor=0.2, status_forcelist=(502, 503, 504))
        self._session = session(self._url, retry, {"Authorization": f"Bearer {token}"} if token else None)
        self._unreachable = ""  # the reason, once the viewer was found unreachable

    def get(self, path: str, parameters: dict[str, Any], revision: str) -> dict[str, Any]:
        """Request a path, and return the answer if it can be used.

        Args:
            path: such as `/size`.
            parameters: of the request, besides dataset and split.
            revision: the commit that the answer must come from.

        Raises:
            ViewerUncertainError: the viewer fails, or has another revision or only a part of it.
            HubDeniedError: the viewer requires a token, or another one.
        """
        parameters = {"dataset": self._repo_id, "split": "train", **parameters}
        response, content = self._request(path, parameters)
        try:
            answer = json.loads(content) if response.status_code == 200 else {}
        except (ValueError, RecursionError) as error:
            raise ViewerUncertainError(f"The viewer at {self._url} gave no readable answer: {error}") from error
        if response.status_code in (401, 403):
            raise HubDeniedError(f"The viewer refuses to show {self._repo_id}: look at HF_TOKEN and its rights.")
        if response.status_code != 200 or not isinstance(answer, dict):
            code = response.headers.get("X-Error-Code", "no code")
            raise ViewerUncertainError(f"The viewer answered {response.status_code} ({code}) for {self._repo_id}.")
        if answer.get("partial") is not False:
            raise ViewerUncertainError(f"The viewer has indexed only a part of {self._repo_id}.")
        if (seen := response.headers.get("X-Revision")) != revision:
            raise ViewerUncertainError(
                f"The viewer answers for revision {seen} of {self._repo_id}, not for {revision}."
            )
        return answer

    def _request(self, path: str, parameters: dict[str, Any]) -> tuple[requests.Response, bytes]:
        """Send a request, unless the viewer was found unreachable before: each further attempt would take as long."""
        if self._unreachable:
            raise ViewerUncertainError(self._unreachable)
        with self._counting:
            self.requests += 1
        deadline = Deadline[tuple[requests.Response, bytes]](_ANSWER_SECONDS)
        try:
            return deadline.run(lambda: self._fetch(path, parameters))
        except (TimeoutError, requests.Timeout):  # whichever of the two deadlines sees it first
            self._unreachable = f"The viewer at {self._url} gave no readable answer within {_ANSWER_SECONDS} s."
            raise ViewerUncertainError(self._unreachable) from None
        except (requests.RequestException, OSError) as error:
            reason = f"The viewer at {self._url} gave no readable answer: {error}"
            if _is_unreachable(error):
                self._unreachable = reason
            raise ViewerUncertainError(reason) from error

    def _fetch(self, path: str, parameters: dict[str, Any]) -> tuple[requests.Response, bytes]:
        """Fetch a response of at most `_MAX_BYTES`: a page of a hundred long rows can have a gigabyte."""
        with self._session.get(self._url + path, params=parameters, timeout=_ANSWER_SECONDS, stream=True) as response:
            pieces, size = [], 0
            for piece in response.iter_content(1 << 16):
                pieces.append(piece)
                size += len(piece)
                if size > _MAX_BYTES:
                    raise ViewerUncertainError(f"The viewer's answer has more than {_MAX_BYTES / 1e6:.0f} MB.")
            return response, b"".join(pieces)


def _is_unreachable(error: Exception) -> bool:
    """Return whether no server answered, or none with a valid certificate."""
    return any(isinstance(cause, MaxRetryError) for cause in error.args)
