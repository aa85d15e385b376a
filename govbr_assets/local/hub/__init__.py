"""A Hugging Face Hub in a folder: dataset repos, served to the real client on this machine alone.

- `store`, `history`, `blobs`: what is kept, and how it outlives a `kill -9`; no HTTP.
- `app`, `access`, `routes_*`, `xet*`: the Hub's HTTP routes over a store; no server.
- `faults`, `server`: a fault-injecting middleware and a loopback server for any ASGI app, the viewer's too.
- `local`: `LocalHub`, the four of them put together.

Only datasets, and of each only the branch `main`. No pull requests, likes, search or gating.
"""
