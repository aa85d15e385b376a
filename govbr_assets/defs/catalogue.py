"""What the catalogue in the UI says of assets that settings alone tell: where their code is, and where their table.

Dagster's own `with_source_code_references` links to the decorator where a function has another one.
"""

from collections.abc import Mapping, Sequence
from inspect import getsourcelines, unwrap
from pathlib import Path

from dagster import AssetKey, AssetsDefinition, AssetSpec, CodeReferencesMetadataValue, UrlCodeReference

import govbr_assets
from govbr_assets.defs.preview import accepted_previews
from govbr_assets.errors import BeginningError, ConfigurationError
from govbr_assets.io.settings import base_url

_SETTING, _EXAMPLE = "GOVBR_SOURCE_URL", "https://github.com/my-org/my-repo"
_ROOT = Path(govbr_assets.__file__).parent.parent


def source_tree(setting: str) -> str:
    """Read `GOVBR_SOURCE_URL`, and return the URL to which paths of files are added; empty if it is not set.

    Args:
        setting: of a repository, whose default branch it takes, or of its files at a branch, a tag or a commit.

    Raises:
        BeginningError: it is malformed, or no URL of a repository.
    """
    try:
        url = base_url(_SETTING, setting, _EXAMPLE)
    except ConfigurationError as error:
        raise BeginningError(str(error)) from None
    parts = url.split("/")[3:]
    if url and len(parts) < 2:
        raise BeginningError(f"{_SETTING} names no repository: write a URL such as {_EXAMPLE}.")
    return f"{url}/blob/HEAD" if url and not {"tree", "blob", "src"} & set(parts[2:]) else url


def in_catalogue(
    assets: Sequence[AssetsDefinition | AssetSpec], tree: str, tables: Mapping[AssetKey, str]
) -> Sequence[AssetsDefinition | AssetSpec]:
    """Add to each asset of ours where its function and its table are.

    Args:
        assets: of which external ones are described already.
        tree: from `source_tree`; empty links no function.
        tables: the repos of assets that are on the Hub; an empty name is none.
    """
    return [_described(each, tree, tables) if isinstance(each, AssetsDefinition) else each for each in assets]


def _described(asset: AssetsDefinition, tree: str, tables: Mapping[AssetKey, str]) -> AssetsDefinition:
    """Describe an asset; without anything to add it is the same object."""
    metadata: dict[str, str | CodeReferencesMetadataValue] = {}
    if name := tables.get(asset.key):
        metadata["dagster/table_name"] = name
    if tree:
        with accepted_previews():
            link = UrlCodeReference(url=f"{tree}/{_place(asset)}")
            metadata["dagster/code_references"] = CodeReferencesMetadataValue(code_references=[link])
    return asset.map_asset_specs(lambda spec: spec.merge_attributes(metadata=metadata)) if metadata else asset


def _place(asset: AssetsDefinition) -> str:
    """Return where the function of an asset begins, such as `govbr_assets/defs/assets/daily.py#L42`."""
    function = unwrap(asset.op.compute_fn.decorated_fn)  # pyright: ignore[reportFunctionMemberAccess]
    path = Path(function.__code__.co_filename).relative_to(_ROOT).as_posix()
    return f"{path}#L{getsourcelines(function)[1]}"
