"""Configuration into clients. What a client does lives in its own room; the values come from `definitions`."""

import re
from functools import lru_cache

from dagster import ConfigurableResource, ResourceDependency
from pydantic import PrivateAttr

from govbr_assets.alerts.outbox import AlertOutbox
from govbr_assets.core.licenses import check_license
from govbr_assets.core.spec import DatasetSpec
from govbr_assets.dataset import Dataset
from govbr_assets.errors import ConfigurationError
from govbr_assets.huggingface.viewer import Viewer
from govbr_assets.io.environment import check_hub
from govbr_assets.io.settings import base_url, cleaned, whole_number
from govbr_assets.io.storage.folder import Folder
from govbr_assets.postgres.news import NewsTable
from govbr_assets.publications import NEWS, REDUCED

_REPO_ID = re.compile(r"[\w.-]+/[\w.-]+")


class PostgresResource(ConfigurableResource):
    """The PostgreSQL database that has the news.

    Attributes:
        url: `postgresql://user:password@host:port/database`.
    """

    url: str

    def client(self) -> NewsTable:
        """Make the client; contacts nobody yet."""
        url = _required("GOVBR_POSTGRES_URL", self.url, "postgresql://user:password@host:5432/database")
        return NewsTable(url, NEWS)


class HubResource(ConfigurableResource):
    """The dataset repo on the Hub.

    Attributes:
        repo_id: `namespace/name`.
        visibility: `private` or `public`, for a repo that this project creates.
        token: empty takes the one that the machine is logged in with.
        endpoint: empty takes the public Hub.
        storage_url: where footers and keys of its files are kept: a folder or an fsspec URL; empty keeps nothing.
        patience_minutes: how long a publication may wait for a busy Hub, or until the repo may have another commit.
        dry_run: `1` makes every publication a dry run.
        license_id: of a card that this project writes: an identifier of the Hub; empty leaves it out.
        release_tags: `on` or `off`: whether releases get tags.
        reduced_repo_id: of the reduced dataset, likewise `namespace/name`; empty publishes none.
        allow_removals: how many rows may be removed by approval, of all time; empty means none.
    """

    repo_id: str
    visibility: str = "private"
    token: str = ""
    endpoint: str = ""
    storage_url: str = ""
    patience_minutes: str = "60"
    dry_run: str = ""
    license_id: str = ""
    release_tags: str = "on"
    reduced_repo_id: str = ""
    allow_removals: str = ""

    @property
    def approved_removals(self) -> int:
        """How many rows may be removed although the guard would retain them, of all time."""
        number = whole_number(cleaned(self.allow_removals) or "0")
        if number is None:
            raise ConfigurationError(
                f"GOVBR_ALLOW_REMOVALS is {self.allow_removals[:40]!r}: write a number of rows, such as 3700, or leave"
                " it out for none."
            )
        return number

    @property
    def tags_releases(self) -> bool:
        """Whether releases get tags."""
        release_tags = cleaned(self.release_tags).lower()
        if release_tags not in ("", "on", "off"):
            raise ConfigurationError(
                f"GOVBR_RELEASE_TAGS is {self.release_tags!r}: write on or off, or leave it out for on."
            )
        return release_tags != "off"

    @property
    def is_dry_run(self) -> bool:
        """Whether nothing may be published."""
        dry_run = cleaned(self.dry_run).lower()
        if dry_run not in ("", "0", "1", "false", "true"):
            raise ConfigurationError(f"GOVBR_DRY_RUN is {self.dry_run!r}: write 1 or 0, or leave it out.")
        return dry_run in ("1", "true")

    @property
    def has_reduced(self) -> bool:
        """Whether the reduced dataset is published as well."""
        return bool(cleaned(self.reduced_repo_id))

    def dataset(self) -> Dataset:
        """Open the dataset, or take the one opened before, which knows its own commits before the Hub lists them."""
        return self._open(_required("GOVBR_REPO_ID", self.repo_id, "my-org/my-news"), NEWS, self.storage_url)

    def reduced_dataset(self) -> Dataset:
        """Open the reduced dataset, likewise.

        Raises:
            ConfigurationError: a setting is missing or malformed, or names the repo of the full dataset.
        """
        repo_id = _required("GOVBR_REDUCED_REPO_ID", self.reduced_repo_id, "my-org/my-news-reduced")
        if not _REPO_ID.fullmatch(repo_id):
            raise ConfigurationError(
                f"GOVBR_REDUCED_REPO_ID is {repo_id!r}: write namespace/name, such as my-org/my-news-reduced."
            )
        if repo_id.lower() == cleaned(self.repo_id).lower():
            raise ConfigurationError(
                f"GOVBR_REDUCED_REPO_ID is {repo_id!r}, as GOVBR_REPO_ID is: name a repo of its own for the reduced"
                " dataset, or leave it out."
            )
        # In a folder of its own: what is kept of files that one dataset does not have would be dropped by the other.
        folder = f"{self.storage_url.rstrip('/')}/{REDUCED.name}" if self.storage_url else ""
        return self._open(repo_id, REDUCED.spec, folder)

    def _open(self, repo_id: str, spec: DatasetSpec, storage_url: str) -> Dataset:
        """Open a dataset with what both have in common."""
        visibility, minutes = cleaned(self.visibility), cleaned(self.patience_minutes)
        if visibility not in ("private", "public"):
            raise ConfigurationError(
                f"GOVBR_REPO_VISIBILITY is {self.visibility!r}: write private or public, or leave it out for private."
            )
        if (patience := whole_number(minutes)) is None:
            raise ConfigurationError(
                f"GOVBR_HUB_PATIENCE_MINUTES is {self.patience_minutes!r}: write a number of minutes, such as 60."
            )
        return _dataset(
            repo_id,
            spec,
            visibility == "private",
            self.token or None,
            self.endpoint or None,
            storage_url,
            patience * 60,
            check_license("GOVBR_DATASET_LICENSE", cleaned(self.license_id)),
            self.tags_releases,
        )


class ViewerResource(ConfigurableResource):
    """The dataset viewer of the repo.

    Attributes:
        url: such as `https://datasets-server.huggingface.co`.
        hub: the repo that it shows.
    """

    url: str
    hub: ResourceDependency[HubResource]
    _client: Viewer | None = PrivateAttr(None)

    def client(self, *, again: bool = False) -> Viewer:
        """Make the client, or take the one of this run: it remembers that its viewer is out of reach.

        Args:
            again: make a new one, which asks even so.
        """
        if self._client is None or again:
            hub = self.hub.dataset().client
            self._client = Viewer(self.url, hub.repo_id, hub.token)
        return self._client


class AlertResource(ConfigurableResource):
    """Where alerts go.

    Attributes:
        url: takes one JSON message by POST for each alert; empty sends none.
        ui_url: of Dagster's UI, for links to runs; empty gives none.
        storage_url: where alerts wait, and those that were sent are remembered: a folder or an fsspec URL.
    """

    url: str = ""
    ui_url: str = ""
    storage_url: str = ""

    def client(self) -> AlertOutbox | None:
        """Make the client, or none if nobody wants alerts; contacts nobody yet."""
        return AlertOutbox(self.url, Folder(self.storage_url)) if cleaned(self.url) else None

    def link(self, run_id: str) -> str:
        """Return the address of a run in the UI, or say why there is none: an alert must not wait for that."""
        try:
            ui = base_url("GOVBR_UI_URL", self.ui_url, "https://dagster.example.org")
        except ConfigurationError as error:
            return str(error)
        return f"{ui}/runs/{run_id}" if ui else ""


@lru_cache(maxsize=8)
def _dataset(
    repo_id: str,
    spec: DatasetSpec,
    private: bool,
    token: str | None,
    endpoint: str | None,
    storage_url: str,
    patience: float,
    license_id: str,
    tagged: bool,
) -> Dataset:
    """Keep one dataset a process and repo."""
    folder = Folder(storage_url) if storage_url else None
    dataset = Dataset.open(
        repo_id,
        spec,
        private=private,
        token=token,
        endpoint=endpoint,
        folder=folder,
        patience=patience,
        license_id=license_id,
        tagged=tagged,
    )
    check_hub(dataset.client.api.endpoint)
    return dataset


def _required(name: str, value: str, example: str) -> str:
    """Return a setting that has no default."""
    if not cleaned(value):
        raise ConfigurationError(f"{name} is not set: set it, such as {example}.")
    return cleaned(value)
