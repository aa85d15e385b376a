"""A session of requests: proxies and certificates come from the environment, credentials from nobody but the caller.

For `viewer` and `alerts`, which with this room are the only importers of requests.
"""

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from govbr_assets.io.environment import check_network


def session(url: str, retry: Retry | int = 0, headers: dict[str, str] | None = None) -> requests.Session:
    """Make a session for one service.

    Left to itself, requests takes the credentials of `.netrc` for a host in place of those that it was given, also
    after a redirect.

    Args:
        url: of the service, for the environment may treat hosts differently.
        retry: what is tried again; by default nothing.
        headers: of every request.

    Raises:
        ConfigurationError: a proxy or a file of certificates of the environment cannot be used.
    """
    check_network(url)
    made = requests.Session()
    of_environment = made.merge_environment_settings(url, {}, None, None, None)
    made.proxies, made.verify, made.trust_env = of_environment["proxies"], of_environment["verify"], False
    made.headers.update(headers or {})
    for scheme in ("http://", "https://"):
        made.mount(scheme, HTTPAdapter(max_retries=retry))
    return made
