"""What the Hub refuses in the metadata of a dataset card, in its words, as far as is known.

Sources: the client's `REGEX_YAML_BLOCK`, which is the server's; the server's messages in public issues of the client.
"""

import re
from collections.abc import Iterator
from typing import Any

import yaml

from govbr_assets.core.licenses import LICENSES

_BLOCK = re.compile(r"^(\s*---(?:\r\n|\r|\n))([\S\s]*?)((?:\r\n|\r|\n)---[ \t]*(\r\n|\n|$))")
_LANGUAGE = re.compile(r"[a-z]{2,3}|code|multilingual")


class _Strict(yaml.SafeLoader):
    """A loader that refuses a key that stands twice, as the server's does."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Make a mapping."""
        names = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and names.count(key.value) > 1:
                raise yaml.constructor.ConstructorError(None, None, "duplicated mapping key", key.start_mark)
        return super().construct_mapping(node, deep)


def card_errors(card: str) -> tuple[list[str], list[str]]:
    """Look for what is wrong with the metadata of a dataset card.

    Returns:
        Errors, for which the card is refused, and warnings.
    """
    block = _BLOCK.match(card.removeprefix("\ufeff"))
    if block is None:
        return [], ["empty or missing yaml metadata in repo card"]
    try:
        metadata = yaml.load(block[2], _Strict)
    except (yaml.YAMLError, ValueError) as error:
        return [f"YAML metadata is not valid: {' '.join(str(error).split())}"], []
    if metadata is None:
        return [], ["empty or missing yaml metadata in repo card"]
    if not isinstance(metadata, dict):
        return ["YAML metadata must be an object"], []
    return [*_wrong_licenses(metadata), *_wrong_languages(metadata), *_wrong_types(metadata)], []


def _wrong_licenses(metadata: dict[Any, Any]) -> Iterator[str]:
    for name, value in _values(metadata, "license"):
        if value not in LICENSES:
            yield f'"{name}" must be one of [{", ".join(LICENSES)}, array]'


def _wrong_languages(metadata: dict[Any, Any]) -> Iterator[str]:
    for name, value in _values(metadata, "language"):
        if not isinstance(value, str):
            yield f'"{name}" must be a string'
        elif value != value.lower():
            yield f'"{name}" must only contain lowercase characters'
        elif not _LANGUAGE.fullmatch(value):
            yield (
                f'"{name}" with value "{value}" is not valid. It must be an ISO 639-1, 639-2 or 639-3 code (two/three'
                ' letters), or a special value like "code", "multilingual". If you want to use BCP-47 identifiers, you'
                " can specify them in language_bcp47."
            )


def _wrong_types(metadata: dict[Any, Any]) -> Iterator[str]:
    for name in ("tags", "task_categories", "task_ids", "configs"):
        if not isinstance(metadata.get(name, []), list):
            yield f'"{name}" must be an array'
    if not isinstance(metadata.get("pretty_name", ""), str):
        yield '"pretty_name" must be a string'
    if not isinstance(metadata.get("dataset_info", {}), dict | list):
        yield '"dataset_info" must be one of [object, array]'
    configs = metadata.get("configs")
    for number, config in enumerate(configs if isinstance(configs, list) else []):
        if not isinstance(config, dict) or not isinstance(config.get("config_name"), str):
            yield f'"configs[{number}].config_name" is required'


def _values(metadata: dict[Any, Any], name: str) -> Iterator[tuple[str, Any]]:
    """Go through a field that may be one value or a list of them, each with its name in messages."""
    value = metadata.get(name, [])
    if isinstance(value, list):
        yield from ((f"{name}[{number}]", each) for number, each in enumerate(value))
    else:
        yield name, value
