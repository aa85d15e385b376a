"""The Hub as an ASGI application: all routes over one store."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from govbr_assets.local.hub.answers import refuse
from govbr_assets.local.hub.calls import Hub
from govbr_assets.local.hub.errors import HubRefusal
from govbr_assets.local.hub.routes import commits, files, lfs, oauth, repos, trees, xet


def hub_app(hub: Hub) -> Starlette:
    """Make the application that serves a Hub."""
    routes = [*repos.ROUTES, *oauth.ROUTES, *trees.ROUTES, *commits.ROUTES, *lfs.ROUTES, *xet.ROUTES, *files.ROUTES]
    app = Starlette(routes=routes, exception_handlers={HubRefusal: _refused})
    app.state.hub = hub
    return app


def _refused(_request: Request, error: Exception) -> Response:
    if not isinstance(error, HubRefusal):
        raise error
    return refuse(error)
