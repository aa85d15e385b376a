"""Sensors and schedules that fail themselves, before any run, as alerts: one for a reason, and one when all is well."""

import re
from collections.abc import Iterator, Mapping
from hashlib import blake2b

from dagster import DagsterInstance

from govbr_assets.alerts.message import Alert
from govbr_assets.defs.sensors.error_text import words_of
from govbr_assets.defs.sensors.instigators import InstigatorState, failing

_SAME = re.compile(r"[\w./:-]*\d[\w./:-]*")  # a port, a time, an id or an address does not make another reason


def tick_alerts(
    instance: DagsterInstance, watched: Mapping[str, InstigatorState], reported: dict[str, int], since: float
) -> Iterator[Alert]:
    """Report the sensors and schedules that fail every time, and those that do so no more.

    Args:
        instance: Dagster's.
        watched: what is switched on, by name.
        reported: by name of what was reported to fail, since when, as `Failing.since` has it; is brought up to date.
        since: when the watch began, in seconds since 1970; what failed before is passed over.
    """
    for name, state in watched.items():
        found = failing(instance, state)
        if found and found.at >= since:
            reported[name] = found.since
            words = words_of(found.error)
            reason = blake2b(_SAME.sub("", words).encode(), digest_size=6).hexdigest()
            kind = state.instigator_type.value.lower()
            title = f"{name} fails: this {kind} requests no run until its reason is mended."
            yield Alert(f"tick-{name}-{found.since}-{reason}", title, name, error=words)
        elif not found and (began := reported.pop(name, None)) is not None:
            yield Alert(f"well-{name}-{began}", f"{name} is well again.", name)
