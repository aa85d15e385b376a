"""Storage in a folder or at an fsspec URL: `folder` holds files, `tables` the tables between assets.

`errors` translates the exceptions of file systems. The cache of the Hub's files is built on `folder`, and belongs to
`metadata_cache`.
"""

from govbr_assets.io.storage.folder import Folder
from govbr_assets.io.storage.tables import TableStorage

__all__ = ["Folder", "TableStorage"]
