"""A viewer that runs: index, application, faults and server in one object, in a thread of this process."""

from typing import Self

from govbr_assets.local.hub.access import Tokens
from govbr_assets.local.hub.distance import Distance
from govbr_assets.local.hub.faults import FaultMiddleware, Faults
from govbr_assets.local.hub.server import LoopbackServer
from govbr_assets.local.hub.store import HubStore
from govbr_assets.local.viewer.app import viewer_app
from govbr_assets.local.viewer.index import Index


class LocalViewer:
    """A viewer on 127.0.0.1, from `start` to `stop` or as a context manager.

    Args:
        store: the repos that it shows.
        port: where it listens; 0 for a free port.
        tokens: the tokens it knows.
        delay: seconds that each request takes longer, and the first one of a connection twice.

    Attributes:
        index: what it answers from, and the way to hold that back.
        faults: what is to go wrong, and the record of its requests.
        distance: how far away it is.
    """

    def __init__(self, store: HubStore, port: int = 0, tokens: Tokens | None = None, delay: float = 0.0) -> None:
        self.index = Index(store)
        self.faults = Faults()
        self.distance = Distance(viewer_app(self.index, tokens or Tokens()), delay)
        self._server = LoopbackServer(FaultMiddleware(self.distance, self.faults), port)

    @property
    def url(self) -> str:
        """The address for `GOVBR_VIEWER_URL`."""
        return self._server.endpoint

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
