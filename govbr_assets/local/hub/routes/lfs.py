"""Routes of git's Large File Storage: which objects are to come, the objects themselves, and whether they did."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from govbr_assets.local.hub.blobs import is_sha256
from govbr_assets.local.hub.calls import Call, hub_of, to_repo
from govbr_assets.local.hub.errors import EntryNotFoundError, RefusedError


def batch(call: Call) -> Response:
    """Say of each object where it can be sent to; nothing of one that is there already."""
    wish = call.json()
    if wish.get("operation") != "upload":
        raise RefusedError("Only uploads go this way; downloads go by `resolve`.")
    objects = [_upload(call, *announced(each)) for each in wish.get("objects", [])]
    return JSONResponse({"transfer": "basic", "objects": objects}, media_type="application/vnd.git-lfs+json")


async def upload(request: Request) -> Response:
    """Take in an object from whoever was given its signed address."""
    hub, sha256 = hub_of(request), request.path_params["sha256"]
    query = request.query_params
    hub.signer.check(_write(sha256, query.get("size")), query.get("signature"))
    size = int(query["size"])
    with hub.store.blobs.receive(sha256, size) as incoming:
        async for piece in request.stream():
            if incoming.size + len(piece) > size:
                raise RefusedError(f"More than the announced {size} bytes came for {sha256}.", 413)
            incoming.write(piece)
    return Response()


def verify(call: Call) -> Response:
    """Return whether an object has come."""
    sha256, size = announced(call.json())
    blob = call.hub.store.blobs.large(sha256)
    if blob is None or blob.size != size:
        raise EntryNotFoundError(f"Object {sha256} of {size} bytes has not been uploaded.")
    return JSONResponse({})


def announced(value: object) -> tuple[str, int]:
    """Read the digest and the size under which an object is announced.

    Raises:
        RefusedError: they are missing or malformed.
    """
    if isinstance(value, dict):
        oid, size = value.get("oid"), value.get("size")
        if isinstance(oid, str) and is_sha256(oid) and isinstance(size, int) and size >= 0:
            return oid, size
    raise RefusedError("An LFS object has an `oid`, its SHA-256 in hex, and a `size` in bytes.")


def _upload(call: Call, sha256: str, size: int) -> dict:
    """Return where an object can be sent to, unless it is there."""
    answer: dict = {"oid": sha256, "size": size}
    if call.hub.store.blobs.large(sha256) is None:
        signature = call.hub.signer.sign(_write(sha256, str(size)))
        address = call.other_origin.replace(path=f"/lfs/{sha256}", query=f"size={size}&signature={signature}")
        check = call.request.url.replace(path=call.request.url.path.removesuffix("/batch") + "/verify", query="")
        answer["actions"] = {"upload": {"href": str(address)}, "verify": {"href": str(check)}}
    return answer


def _write(sha256: str, size: str | None) -> str:
    """Return what a signature permits."""
    return f"write {sha256} of {size} bytes"


_OBJECTS = "/datasets/{namespace}/{name}.git/info/lfs/objects"

ROUTES = [
    Route(_OBJECTS + "/batch", to_repo(batch, "write"), methods=["POST"]),
    Route(_OBJECTS + "/verify", to_repo(verify, "write"), methods=["POST"]),
    Route("/lfs/{sha256}", upload, methods=["PUT"]),
]
