"""Files at rest, in a folder or at an fsspec URL, and the tables between assets kept as such files.

From the bottom up: `errors` turns what file systems raise into our errors, `folder` keeps files, `tables` tables.
What is kept for the contents of the Hub's files is `huggingface.metadata_cache`'s business.
"""

from govbr_assets.io.storage.folder import Folder
from govbr_assets.io.storage.tables import TableStorage

__all__ = ["Folder", "TableStorage"]
