"""Whether the pattern of new shards matches all files of the dataset; if not, a compaction has to move rows first."""

from govbr_assets.core.card import card_of
from govbr_assets.core.globs import is_elsewhere, selected
from govbr_assets.core.layout import DATA_PATTERN
from govbr_assets.dataset import Dataset
from govbr_assets.dataset.row_reader import READABLE
from govbr_assets.errors import ContractError
from govbr_assets.huggingface.snapshot import DataFile, Snapshot

_REMEDY = "run the job weekly_consolidation (asset consolidated_dataset), which moves them over"


def out_of_reach(dataset: Dataset, snapshot: Snapshot) -> str:
    """Return why no day can be published, such as files outside the pattern of new shards; empty if days can."""
    try:
        check_movable(dataset, snapshot)
    except ContractError as error:
        return str(error)
    away = out_of_pattern(snapshot)
    if not away:
        return ""
    rows = sum(dataset.reader.row_count(file) for file in away)
    return (
        f"{rows} rows of the dataset lie where {DATA_PATTERN} does not reach ({_named(away)}), and readers would not"
        f" find them beside a new shard: {_REMEDY}."
    )


def check_movable(dataset: Dataset, snapshot: Snapshot) -> None:
    """Check that a compaction can read what it has to move over.

    Raises:
        ContractError: it cannot; the message names the file and what to do.
    """
    with card_of(dataset.client.repo_id):
        _check_movable(dataset, snapshot)


def _check_movable(dataset: Dataset, snapshot: Snapshot) -> None:
    """Check it, and name the repo nowhere."""
    scope = snapshot.scope
    if strange := [each for each in scope.ours.patterns if is_elsewhere(each)]:
        raise ContractError(
            f"The default config in README.md on the Hub selects {strange[0]}, which is not, or not surely, in the"
            f" repo: name the files of the repo as {DATA_PATTERN} is written."
        )
    away = out_of_pattern(snapshot)
    if away and (scope.format is None or scope.format.name not in READABLE):
        raise ContractError(
            f"{_named(away)}, which the train split of the default config selects, {_are(away)} read as"
            f" {scope.format.name if scope.format else 'no known format'}, which cannot hold news: {_own_config()}."
        )
    for file in away:
        if scope.format and scope.format.name == "parquet" and _is_no_news(dataset, file):
            raise ContractError(
                f"{file.path}, which the train split of the default config selects, has no column unique_id and so no"
                f" news: {_own_config()}."
            )


def out_of_pattern(snapshot: Snapshot) -> list[DataFile]:
    """List the files of the dataset that our pattern does not reach, which a compaction moves over."""
    reached = {*selected(DATA_PATTERN, snapshot.files)}
    return [file for file in snapshot.data_files if file.path not in reached]


def _is_no_news(dataset: Dataset, file: DataFile) -> bool:
    schema, key = dataset.reader.schema(file), dataset.spec.key
    return bool(schema.names and key) and key not in schema.names


def _own_config() -> str:
    return (
        "if the news is to be published beside that, give it a config named default in README.md, with the path"
        f" {DATA_PATTERN} for its split train, and that file a config of its own"
    )


def _named(files: list[DataFile]) -> str:
    more = f" and {len(files) - 1} more files" if len(files) > 1 else ""
    return f"{files[0].path}{more}"


def _are(files: list[DataFile]) -> str:
    return "are" if len(files) > 1 else "is"
