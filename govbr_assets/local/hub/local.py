"""A Hub that runs: store, application, faults and server in one object, in a thread of this process."""

import re
from pathlib import Path
from typing import Self

from govbr_assets.local.hub.access import Tokens
from govbr_assets.local.hub.actions import detour
from govbr_assets.local.hub.app import hub_app
from govbr_assets.local.hub.calls import Hub, Limits
from govbr_assets.local.hub.distance import Distance
from govbr_assets.local.hub.faults import Fault, FaultMiddleware, Faults
from govbr_assets.local.hub.server import LoopbackServer
from govbr_assets.local.hub.store import HubStore


class LocalHub:
    """A Hub on 127.0.0.1, from `start` to `stop` or as a context manager.

    Args:
        folder: where its repos are kept; made if it is not there.
        port: where it listens; 0 for a free port.
        tokens: the tokens it knows.
        limits: how much is too much.
        delay: seconds that each request takes longer, and the first one of a connection twice.

    Attributes:
        folder: where its repos are kept.
        store: its repos.
        faults: what is to go wrong, and the record of its requests.
        distance: how far away it is.
    """

    def __init__(
        self,
        folder: Path,
        port: int = 0,
        tokens: Tokens | None = None,
        limits: Limits | None = None,
        delay: float = 0.0,
    ) -> None:
        self.folder = folder
        self.store = HubStore(folder)
        self.faults = Faults()
        self._tokens = tokens or Tokens()
        hub = Hub(self.store, self._tokens, limits or Limits())
        self.distance = Distance(hub_app(hub), delay)
        self._server = LoopbackServer(FaultMiddleware(self.distance, self.faults), port)

    @property
    def endpoint(self) -> str:
        """The address for `HF_ENDPOINT`."""
        return self._server.endpoint

    @property
    def write_token(self) -> str:
        """The token that may do everything."""
        return self._tokens.write

    @property
    def read_token(self) -> str:
        """The token that may read everything."""
        return self._tokens.read

    def lag(self, repo_id: str, times: int = 1) -> None:
        """Let the repo's head look as it does now to the next ones who ask about the repo, whatever is committed.

        Only `GET /api/datasets/{repo}` lags, which is `dataset_info()`; a commit knows the true head.
        """
        old = f"/api/datasets/{repo_id}/revision/{self.store.head(repo_id)}"
        self.faults.add(
            Fault("GET", rf"^/api/datasets/{re.escape(repo_id)}(/revision/main)?$", detour(old), times=times)
        )

    def start(self) -> Self:
        """Listen; returns when it can be used."""
        self._server.start()
        return self

    def stop(self) -> None:
        """Drop what is under way and stop listening; may be called twice, and `start` again after it."""
        self._server.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
