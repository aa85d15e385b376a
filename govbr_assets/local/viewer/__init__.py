"""The dataset viewer over the repos of a local Hub: `/filter` and `/size`, as strict and as late as the real one.

- `grammar`: what `where` and `orderby` may say; text in, SQL out.
- `data_files`, `footers`: which files of a revision are the dataset, and what their Parquet footers tell.
- `index`: which revision a repo is answered from, and how a test delays, cuts or breaks that.
- `query`, `answers`: rows out of the files with DuckDB, and their JSON.
- `app`, `errors`: the HTTP routes and what they refuse; `local`: `LocalViewer`, all of it put together.

One configuration `default` with one split `train`. No `/rows`, `/search`, `/statistics`; cells are never truncated.
"""

from govbr_assets.local.viewer.local import LocalViewer

__all__ = ["LocalViewer"]
