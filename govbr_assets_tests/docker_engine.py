"""The part of Docker's API that launches containers, on loopback, for tests: a container is a process of its own."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any


class DockerEngine(ThreadingHTTPServer):
    """Containers of one image, each a process that sees what was asked for and nothing else of the environment.

    Args:
        home: of each process, as the image has one.

    Attributes:
        created: what was asked for, by id of the container.
        running: the processes, by id of the container.
    """

    daemon_threads = True

    def __init__(self, home: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self._image = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}/usr/bin:/bin",
            **dict.fromkeys(["HOME", "TMPDIR", "DAGSTER_HOME"], str(home)),
        }
        self._log = (home / "containers.log").open("w")
        self.created: dict[str, dict[str, Any]] = {}
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start_container(self, name: str) -> None:
        """Start the process of a container that was created."""
        asked = self.created[name]
        environment = self._image | dict(each.split("=", 1) for each in asked["Env"])
        command = [*asked["Entrypoint"], *asked["Cmd"]]
        self.running[name] = subprocess.Popen(command, env=environment, stdout=self._log, stderr=self._log)

    def is_there(self, name: str) -> bool:
        """Return whether a container is not removed: it is when its process has ended."""
        return name in self.created and (name not in self.running or self.running[name].poll() is None)

    def end(self) -> None:
        """End what still runs."""
        for process in self.running.values():
            process.kill()
            process.wait()
        self._log.close()


class _Handler(BaseHTTPRequestHandler):
    server: DockerEngine  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_GET(self) -> None:
        found = re.search(r"/containers/(\w+)/json", self.path)
        if found is None:
            self._answer(200, {"ApiVersion": "1.44", "MinAPIVersion": "1.24", "Version": "25"})
        elif self.server.is_there(found[1]):
            self._answer(200, {"Id": found[1], "State": {"Status": "running"}})
        else:
            self._answer(404, {"message": f"No such container: {found[1]}"})

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "{}")
        if self.path.endswith("/containers/create"):
            name = f"c{len(self.server.created)}"
            self.server.created[name] = asked
            self._answer(201, {"Id": name, "Warnings": []})
        elif found := re.search(r"/containers/(\w+)/start", self.path):
            self.server.start_container(found[1])
            self._answer(204, None)
        else:
            self._answer(404, {"message": f"{self.path} is not served here"})

    def _answer(self, status: int, told: Any) -> None:
        body = b"" if told is None else json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def docker_served(home: Path) -> Iterator[DockerEngine]:
    """Serve the API."""
    engine = DockerEngine(home)
    thread = Thread(target=engine.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield engine
    finally:
        engine.end()
        engine.shutdown()
        engine.server_close()
        thread.join()
