"""A Hugging Face Hub in a folder: dataset repos, served to the real client on this machine alone.

- `store`, `history`, `commits`, `tags`, `changes`, `blobs`, `xet`: what is kept, and how it outlives a `kill -9`; no
  HTTP.
- `app`, `routes`, `calls`, `answers`, `access`, `rules`: the Hub's HTTP routes over a store; no server.
- `server`, `faults`, `actions`: a loopback server for any application, the viewer's too, and what can go wrong on it.
- `local`: `LocalHub`, all of it put together.

Only datasets, and of each only the branch `main`. No pull requests, gating, likes or search.
"""

from govbr_assets.local.hub.local import LocalHub

__all__ = ["LocalHub"]
