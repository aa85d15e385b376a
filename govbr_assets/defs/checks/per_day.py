"""A check of days: one verdict for a run over one day, and one for each day of a range."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from dagster import (
    AssetCheckExecutionContext,
    AssetCheckResult,
    AssetChecksDefinition,
    AssetIn,
    AssetsDefinition,
    asset_check,
)

from govbr_assets.defs.failures import without_retries
from govbr_assets.defs.metadata.events import Metadata
from govbr_assets.defs.partition_events import Verdicts
from govbr_assets.defs.partitions import daily
from govbr_assets.defs.preview import accepted_previews
from govbr_assets.errors import PermanentError

_NAMES = 20  # that are listed

Body = Callable[..., AssetCheckResult]


def daily_check(asset: AssetsDefinition, inputs: Sequence[str] = ()) -> Callable[[Body], AssetChecksDefinition]:
    """Declare a check of the days of an asset.

    Args:
        asset: that is checked; a parameter of its name gets its value.
        inputs: names of other assets whose values the check needs.
    """

    def declare(body: Body) -> AssetChecksDefinition:
        """Declare it, with a failure in one sentence."""
        ins = {name: AssetIn(name) for name in inputs}
        with accepted_previews():
            return asset_check(asset=asset, partitions_def=daily, additional_ins=ins)(without_retries()(body))

    return declare


class Verdict(NamedTuple):
    """What a check says of a day.

    Attributes:
        passed: whether it holds.
        metadata: the numbers.
    """

    passed: bool
    metadata: Metadata


def judge_days(context: AssetCheckExecutionContext, judge: Callable[[str], Verdict]) -> AssetCheckResult:
    """Judge each day of a run: Dagster itself records only one verdict for a run.

    Args:
        context: of the check.
        judge: gives the verdict on a partition key; raises a `PermanentError` for a day that cannot be had.
    """
    keys = context.partition_keys
    if len(keys) == 1:
        verdict = judge(keys[0])
        return AssetCheckResult(passed=verdict.passed, metadata=verdict.metadata)
    failed, absent = list[str](), list[str]()
    with Verdicts(context) as verdicts:
        for key in keys:
            try:
                passed, metadata = judge(key)
            except PermanentError as error:  # a rejected day has no table to judge
                absent.append(f"{key}: {error}")
                continue
            failed += [] if passed else [key]
            verdicts.add(key, metadata, passed=passed)
    numbers = {"days": len(keys), "failed": len(failed), "failed_days": named(failed), "absent_days": named(absent)}
    return AssetCheckResult(passed=not failed, metadata=numbers)


def named(things: Sequence[str]) -> str:
    """Name some things."""
    more = f" and {len(things) - _NAMES} more" if len(things) > _NAMES else ""
    return (", ".join(things[:_NAMES]) or "none") + more
