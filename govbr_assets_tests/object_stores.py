"""Object stores on loopback, for tests: an S3 that checks keys and rights, and a Cloud Storage."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import ThreadingHTTPServer
from threading import Thread
from typing import Any, TypeVar
from urllib.parse import quote

import boto3
import fsspec
import pytest
import requests
import s3fs
from gcp_storage_emulator.server import RequestHandler
from gcp_storage_emulator.storage import Storage
from moto import settings
from moto.core.authorization import ActionAuthenticatorMixin
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

BUCKET = "my-bucket"

_ONE_PROTOCOL = {"GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT": "false"}
"""Read when `gcsfs` is imported: else it asks by gRPC what kind each bucket is, and no emulator knows."""

os.environ |= _ONE_PROTOCOL


@dataclass
class S3:
    """An S3 with one bucket, and users with rights.

    Attributes:
        endpoint: its URL.
        requests: each that it has had, such as `GET /my-bucket?list-type=2`, in order.
    """

    endpoint: str
    requests: list[str] = field(default_factory=list)
    url = f"s3://{BUCKET}"

    def __post_init__(self) -> None:
        keys: dict[str, Any] = dict.fromkeys(["aws_access_key_id", "aws_secret_access_key"], "root")
        keys |= {"endpoint_url": self.endpoint, "region_name": "us-east-1"}
        self._s3, self._iam = (boto3.client(name, **keys) for name in ("s3", "iam"))
        self._s3.create_bucket(Bucket=BUCKET)

    @property
    def environment(self) -> Mapping[str, str]:
        """Where `s3fs` looks."""
        return {
            "AWS_ACCESS_KEY_ID": "root",
            "AWS_SECRET_ACCESS_KEY": "root",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": self.endpoint,
        }

    @property
    def buckets(self) -> list[str]:
        """The names of all buckets."""
        return [each["Name"] for each in self._s3.list_buckets()["Buckets"]]

    def names(self, prefix: str = "") -> list[str]:
        """List the names of all objects that begin with a prefix."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
        return [each["Key"] for page in pages for each in page.get("Contents", ())]

    def put(self, name: str, content: bytes) -> None:
        """Write an object as another process does."""
        self._s3.put_object(Bucket=BUCKET, Key=name, Body=content)

    def drop(self, name: str) -> None:
        """Delete an object as another process does."""
        self._s3.delete_object(Bucket=BUCKET, Key=name)

    def user(self, *actions: str) -> tuple[str, str]:
        """Create a user who may do some things; return the key."""
        name = f"user-{len(self._iam.list_users()['Users'])}"
        allowed = {"Effect": "Allow", "Action": actions, "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        self._iam.create_user(UserName=name)
        self._iam.put_user_policy(UserName=name, PolicyName="rights", PolicyDocument=policy)
        key = self._iam.create_access_key(UserName=name)["AccessKey"]
        return key["AccessKeyId"], key["SecretAccessKey"]

    def become(self, monkeypatch: pytest.MonkeyPatch, key: str, secret: str) -> None:
        """Be a user for the rest of a test, whose every request is checked."""
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
        monkeypatch.setattr(settings, "INITIAL_NO_AUTH_ACTION_COUNT", 0.0)
        monkeypatch.setattr(ActionAuthenticatorMixin, "request_count", 0)
        s3fs.S3FileSystem.clear_instance_cache()


@dataclass
class CloudStorage:
    """A Cloud Storage with one bucket, which anybody may use: the emulator checks neither keys nor rights.

    Attributes:
        endpoint: its URL.
        refusal: what every request is answered in place of the emulator, by its status and its message.
    """

    endpoint: str
    refusal: list[tuple[int, str]]
    url = f"gs://{BUCKET}"

    def __post_init__(self) -> None:
        self._ask("POST", "/storage/v1/b?project=p", json={"name": BUCKET})

    @contextmanager
    def answering(self, status: int, message: str) -> Iterator[None]:
        """Refuse every request as Cloud Storage does."""
        self.refusal.append((status, message))
        yield
        self.refusal.clear()

    @property
    def environment(self) -> Mapping[str, str]:
        """Where `gcsfs` looks."""
        return {"STORAGE_EMULATOR_HOST": self.endpoint, "NO_GCE_CHECK": "true", **_ONE_PROTOCOL}

    @property
    def buckets(self) -> list[str]:
        """The names of all buckets."""
        return [each["name"] for each in self._ask("GET", "/storage/v1/b?project=p").json()["items"]]

    def names(self, prefix: str = "") -> list[str]:
        """List the names of all objects that begin with a prefix."""
        found = self._ask("GET", f"/storage/v1/b/{BUCKET}/o?prefix={quote(prefix)}").json()
        return sorted(each["name"] for each in found.get("items", ()))

    def put(self, name: str, content: bytes) -> None:
        """Write an object as another process does."""
        address = f"/upload/storage/v1/b/{BUCKET}/o?uploadType=multipart"
        parts = [f'{{"name": "{name}"}}'.encode(), content]
        types = ["application/json", "application/octet-stream"]
        body = b"".join(
            b"--limit\r\nContent-Type: %b\r\n\r\n%b\r\n" % (kind.encode(), part)
            for kind, part in zip(types, parts, strict=True)
        )
        headers = {"Content-Type": "multipart/related; boundary=limit"}
        self._ask("POST", address, data=body + b"--limit--\r\n", headers=headers)

    def drop(self, name: str) -> None:
        """Delete an object as another process does."""
        self._ask("DELETE", f"/storage/v1/b/{BUCKET}/o/{quote(name, safe='')}")

    def _ask(self, method: str, address: str, **how: Any) -> requests.Response:
        answer = requests.request(method, f"{self.endpoint}{address}", timeout=30, **how)
        answer.raise_for_status()
        return answer


Store = S3 | CloudStorage
SomeStore = TypeVar("SomeStore", bound=Store)


def set_up(store: SomeStore, monkeypatch: pytest.MonkeyPatch) -> SomeStore:
    """Let the file system of a store find it for the rest of a test."""
    others = ("AWS_",) if isinstance(store, S3) else ("GCSFS_", "GOOGLE_", "STORAGE_EMULATOR_")
    for name in [name for name in os.environ if name.startswith(others)]:
        monkeypatch.delenv(name)
    for name, value in store.environment.items():
        monkeypatch.setenv(name, value)
    fsspec.get_filesystem_class(store.url.partition("://")[0]).clear_instance_cache()
    return store


@contextmanager
def s3_served() -> Iterator[S3]:
    """Serve an S3."""
    requests, app = list[str](), DomainDispatcherApplication(create_backend_app)

    def counted(environ: dict[str, Any], start_response: Any) -> Any:
        query = environ["QUERY_STRING"]
        requests.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}{f'?{query}' if query else ''}")
        return app(environ, start_response)

    server = make_server("127.0.0.1", 0, counted, threaded=True, request_handler=MotoRequestHandler)
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield S3(f"http://127.0.0.1:{server.server_port}", requests)
    finally:
        server.shutdown()
        thread.join()
        s3fs.S3FileSystem.clear_instance_cache()


class _CloudStorageServer(ThreadingHTTPServer):
    """Serves a Cloud Storage, or refuses everything."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), partial(_Handler, Storage(use_memory_fs=True)))
        self.refusal = list[tuple[int, str]]()


class _Handler(RequestHandler):
    server: _CloudStorageServer  # pyright: ignore[reportIncompatibleVariableOverride]

    def parse_request(self) -> bool:
        """Read a request; one that is refused goes no further."""
        if not super().parse_request() or not self.server.refusal:
            return not self.server.refusal
        status, message = self.server.refusal[0]
        body = json.dumps({"error": {"code": status, "message": message}}).encode()
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        return False


@contextmanager
def cloud_storage_served() -> Iterator[CloudStorage]:
    """Serve a Cloud Storage."""
    server = _CloudStorageServer()
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield CloudStorage(f"http://127.0.0.1:{server.server_address[1]}", server.refusal)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
