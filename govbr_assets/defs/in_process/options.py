"""What may be chosen for `mend`, as it gets into the configuration of runs."""

from dataclasses import dataclass
from typing import Any

_PUBLISHING = ("hf_parquet_shard", "consolidated_dataset", "reduced_dataset")


@dataclass(frozen=True)
class MendOptions:
    """What may be chosen.

    Attributes:
        dry_run: publish nothing, and say what would be done.
        allow_removals: rows that may leave the Hub although the guard would retain them, of all time; 0 takes the
            setting.
        max_runs: runs that publish at most; None sets no limit.
    """

    dry_run: bool = False
    allow_removals: int = 0
    max_runs: int | None = None

    @property
    def config(self) -> dict[str, dict[str, Any]]:
        """What is chosen for assets, by their names."""
        config: dict[str, dict[str, Any]] = {name: {"dry_run": True} for name in _PUBLISHING if self.dry_run}
        if self.allow_removals:
            config.setdefault("hf_parquet_shard", {})["approved_removals"] = self.allow_removals
        return config
