"""Routes of a Xet storage: a token for it, and the xorbs and shards that a client uploads.

The client goes this way whenever it has `hf_xet`. Asked for chunks that others may have sent, and for the newer ways to
upload that it tries first, this storage says 404, and the client makes do.
"""

import time

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from govbr_assets.local.hub.calls import DATASET, MEGABYTE, Call, Hub, hub_of, read, to_repo
from govbr_assets.local.hub.errors import RefusedError
from govbr_assets.local.hub.xet import files_of

_SECONDS = 3600
_XORB_BYTES = 72 * MEGABYTE
_SHARD_BYTES = 64 * MEGABYTE


def write_token(call: Call) -> Response:
    """Return a token for the storage to whoever may write to the repo."""
    expires = int(time.time()) + _SECONDS
    token = f"{expires}.{call.hub.signer.sign(_permit(expires))}"
    address = f"{call.base}/xet/{call.hub.store.xorbs.name}"
    headers = {"X-Xet-Cas-Url": address, "X-Xet-Access-Token": token, "X-Xet-Token-Expiration": str(expires)}
    return JSONResponse({"casUrl": address, "accessToken": token, "exp": expires}, headers=headers)


async def add_xorb(request: Request) -> Response:
    """Take in a xorb."""
    hub, content = _admitted(request), await read(request, _XORB_BYTES)
    new = await run_in_threadpool(hub.store.xorbs.add, request.path_params["xorb"], content)
    return JSONResponse({"was_inserted": new})


async def add_shard(request: Request) -> Response:
    """Take in a shard: put the files together that it describes."""
    hub, shard = _admitted(request), await read(request, _SHARD_BYTES)
    new = await run_in_threadpool(_assemble, hub, shard)
    return JSONResponse({"result": int(new > 0)})


def _assemble(hub: Hub, shard: bytes) -> int:
    """Keep the files of a shard as LFS files; returns how many were new."""
    new = [file for file in files_of(shard) if hub.store.blobs.large(file.sha256) is None]
    for file in new:
        with hub.store.blobs.receive(file.sha256, file.size) as incoming:
            for chunk in hub.store.xorbs.content(file):
                incoming.write(chunk)
    return len(new)


def _admitted(request: Request) -> Hub:
    """Let through who has a token of `write_token`."""
    hub = hub_of(request)
    expires, _, signature = request.headers.get("authorization", "").removeprefix("Bearer ").partition(".")
    try:
        hub.signer.check(_permit(int(expires)), signature)
    except ValueError:
        raise RefusedError("This storage needs a token.", 401) from None
    if int(expires) < time.time():
        raise RefusedError("The token of this storage has expired.", 401)
    return hub


def _permit(expires: int) -> str:
    """Return what a signature permits."""
    return f"write to xet until {expires}"


ROUTES = [
    Route(DATASET + "/xet-write-token/{revision:path}", to_repo(write_token, "write")),
    Route("/xet/{storage}/v1/xorbs/default/{xorb}", add_xorb, methods=["POST"]),
    Route("/xet/{storage}/v1/shards", add_shard, methods=["POST"]),
]
