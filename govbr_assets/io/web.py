"""Sessions of requests, with proxies and certificates from the environment, and credentials only from the caller."""

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from govbr_assets.io.environment import check_network


def session(url: str, retry: Retry | int = 0, headers: dict[str, str] | None = None) -> requests.Session:
    """Return a session for one service.

    By default requests prefers the credentials of `.netrc` for a host to those of the caller, even after a redirect.

    Args:
        url: of the service, since proxies depend on the host.
        retry: which requests are retried; by default none.
        headers: of every request.

    Raises:
        ConfigurationError: a proxy or certificate file of the environment cannot be used.
    """
    check_network(url)
    client = requests.Session()
    settings = client.merge_environment_settings(url, {}, None, None, None)
    client.proxies, client.verify, client.trust_env = settings["proxies"], settings["verify"], False
    client.headers.update(headers or {})
    for scheme in ("http://", "https://"):
        client.mount(scheme, HTTPAdapter(max_retries=retry))
    return client
