"""Who may do what: tokens, private repos, and addresses that are a permission in themselves.

A stranger learns nothing about repos that are not public: private and missing ones look alike, as on the real Hub.
"""

import hmac
import secrets
from dataclasses import dataclass, field
from typing import Literal

from starlette.requests import Request

from govbr_assets.local.hub.errors import HubRefusal, RefusedError, RepoNotFoundError
from govbr_assets.local.hub.store import HubStore

USER = "local"
"""The one user, who owns both tokens and every namespace."""

Role = Literal["read", "write"]


class StrangerError(HubRefusal):
    """Without a token there is nothing to see here; the Hub words it so, and the client takes it for a missing repo."""

    status = 401
    code = "RepoNotFound"

    def __init__(self) -> None:
        super().__init__("Invalid username or password.")


@dataclass(frozen=True)
class Tokens:
    """The two tokens there are, and those of trusted publishers. Whoever reaches the loopback address may know them.

    Attributes:
        write: may do everything.
        read: may read everything.
        identity: of the one workflow that every repo trusts, for which it gets a token of its own.
        published: the tokens of trusted publishers, each with its repo, in which alone it may do everything.
    """

    write: str = "hf_local_write"
    read: str = "hf_local_read"
    identity: str = "local_identity"
    published: dict[str, str] = field(default_factory=dict)

    def role(self, request: Request) -> Role | None:
        """Return what the sender of a request may do; None for a stranger.

        Raises:
            RefusedError: there is a token, and it is neither of the two.
        """
        header = request.headers.get("authorization")
        if header is None:
            return None
        roles: dict[str, Role] = {f"Bearer {self.write}": "write", f"Bearer {self.read}": "read"}
        roles |= dict.fromkeys((f"Bearer {token}" for token in self.published), "write")
        if header not in roles:
            raise RefusedError("Invalid credentials in Authorization header", 401)
        return roles[header]

    def require(self, request: Request, role: Role) -> Role:
        """Let a request through whose sender has at least this role.

        Raises:
            StrangerError: it has no token.
            RefusedError: it has the wrong one.
        """
        has = self.role(request)
        if has is None:
            raise StrangerError
        if role == "write" and has != "write":
            raise RefusedError("Forbidden: you must use a write token to upload to a repository.", 403)
        return has

    def admit(self, request: Request, store: HubStore, repo_id: str, role: Role) -> None:
        """Let a request to a repo through.

        Raises:
            StrangerError: it has no token, and the repo is missing, private or to be written to.
            RepoNotFoundError: it has a token, and the repo is missing.
            RefusedError: it has the wrong token.
        """
        try:
            visible = store.visibility(repo_id) == "public"
        except RepoNotFoundError:
            self.require(request, "read")
            raise
        if role == "write" or not visible:
            self.require(request, role)
            self._keep_to(repo_id, request)
        else:
            self.role(request)

    def admit_user(self, request: Request, role: Role) -> None:
        """Let a request through that concerns no repo that is there, such as to make one.

        Raises:
            StrangerError: it has no token.
            RefusedError: it has the wrong one.
        """
        self.require(request, role)
        self._keep_to("", request)

    def _keep_to(self, repo_id: str, request: Request) -> None:
        """Refuse the token of a trusted publisher for anything but its repo."""
        repo = self.published.get(request.headers["authorization"].removeprefix("Bearer "), repo_id)
        if repo != repo_id:
            raise RefusedError(f"This token is for {repo} alone.", 403)

    def exchange(self, identity: str, repo_id: str) -> str:
        """Give a trusted publisher a token of its own for one repo.

        Raises:
            RefusedError: the repo does not trust it.
        """
        if identity != self.identity:
            raise RefusedError("invalid_grant: no trusted publisher of this repo matches the claims.", 400)
        token = f"hf_jwt_{secrets.token_hex(12)}"
        self.published[token] = repo_id
        return token


@dataclass(frozen=True)
class Signer:
    """Signs addresses, so that who was given one needs no token there: clients send none to a storage.

    A signature holds as long as the process.
    """

    _secret: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    def sign(self, text: str) -> str:
        """Sign a text: 64 hex digits."""
        return hmac.new(self._secret, text.encode(), "sha256").hexdigest()

    def check(self, text: str, signature: str | None) -> None:
        """Refuse a text that was not signed here.

        Raises:
            RefusedError: the signature is another text's, or missing.
        """
        if not hmac.compare_digest(self.sign(text).encode(), (signature or "").encode()):
            raise RefusedError("The signature of this address is wrong or has expired.", 403)
