"""A check of days: one verdict for a run over one day, and one for each day of a range."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from dagster import AssetCheckEvaluation, AssetCheckExecutionContext, AssetCheckResult

from govbr_assets.defs.metadata.events import Metadata
from govbr_assets.defs.partition_events import record_check
from govbr_assets.errors import PermanentError

_NAMES = 20  # that are listed


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
    (check,) = context.selected_asset_check_keys
    failed, absent = list[str](), list[str]()
    for key in keys:
        try:
            passed, metadata = judge(key)
        except PermanentError as error:  # a rejected day has no table to judge
            absent.append(f"{key}: {error}")
            continue
        failed += [] if passed else [key]
        record_check(context, AssetCheckEvaluation(check.asset_key, check.name, passed, metadata, partition=key))
    numbers = {"days": len(keys), "failed": len(failed), "failed_days": named(failed), "absent_days": named(absent)}
    return AssetCheckResult(passed=not failed, metadata=numbers)


def named(things: Sequence[str]) -> str:
    """Name some things."""
    more = f" and {len(things) - _NAMES} more" if len(things) > _NAMES else ""
    return (", ".join(things[:_NAMES]) or "none") + more
