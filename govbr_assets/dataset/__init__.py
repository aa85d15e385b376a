"""A dataset at a revision, as a small table format: what it holds, how it is read, and how a change of it is committed.

`Dataset` is what operations, checks and resources are given. Operations themselves do not belong here, nor what would
be different for another service than the Hub.
"""

from dataclasses import dataclass, field

from govbr_assets.core.card_text import CardFacts
from govbr_assets.core.spec import DatasetSpec
from govbr_assets.dataset.metadata_cache import MetadataCache
from govbr_assets.dataset.planned import PlannedRemovals
from govbr_assets.dataset.reader import DatasetReader
from govbr_assets.huggingface.client import RepoClient
from govbr_assets.io.storage.folder import Folder


@dataclass(frozen=True)
class Dataset:
    """A dataset on the Hub.

    Attributes:
        client: of its repo.
        reader: reads its files, and remembers what they say.
        cache: what is known of files from earlier runs.
        spec: what its files hold.
        card: what its card says of the repo, if it has none yet.
        planned: the removals of a dry run.
    """

    client: RepoClient
    reader: DatasetReader
    cache: MetadataCache
    spec: DatasetSpec
    card: CardFacts
    planned: PlannedRemovals = field(default_factory=PlannedRemovals)

    @classmethod
    def open(
        cls,
        repo_id: str,
        spec: DatasetSpec,
        *,
        private: bool = True,
        token: str | None = None,
        endpoint: str | None = None,
        folder: Folder | None = None,
        patience: float = 60.0,
        license_id: str = "",
        tagged: bool = True,
    ) -> "Dataset":
        """Open a dataset; contacts nobody yet.

        Args:
            repo_id: `namespace/name`.
            spec: what its files hold.
            private: visibility of the repo if this project creates it.
            token: None takes the one that the machine is logged in with.
            endpoint: None takes the public Hub.
            folder: where metadata of its files is kept between runs; None fetches it anew.
            patience: seconds that a commit may wait for a Hub that is busy or whose commits of the hour are spent.
            license_id: of a card that this project writes, an identifier of the Hub; empty leaves it out.
            tagged: whether releases get tags.

        Raises:
            ConfigurationError: a setting is malformed.
        """
        cache = MetadataCache(folder, spec)
        client = RepoClient(repo_id, private=private, token=token, endpoint=endpoint, cache=cache, patience=patience)
        card = CardFacts(repo_id, license_id, tagged)
        return cls(client, DatasetReader(client, cache, spec), cache, spec, card)
