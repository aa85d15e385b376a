"""What `mend` remembers of late rows from one time to the next: in Dagster's instance, if that lasts.

The sensor keeps the same state in its cursor; each has its own, so that neither takes rows away from the other.
"""

from dagster import DagsterInstance

from govbr_assets.core.late_rows import LateRows


class LateRowsState:
    """The state of late rows for one repo.

    Args:
        instance: Dagster's.
        repo_id: of the Hub.
    """

    def __init__(self, instance: DagsterInstance, repo_id: str) -> None:
        self._storage, self._key = instance.daemon_cursor_storage, f"govbr_assets/late_rows/{repo_id}"

    @property
    def is_new(self) -> bool:
        """Whether nobody has looked for late rows of this repo with these records: what came earlier is not known."""
        return self._key not in self._storage.get_cursor_values({self._key})

    def read(self) -> LateRows:
        """Read it; without one the first look goes a day back."""
        return LateRows.of(self._storage.get_cursor_values({self._key}).get(self._key))

    def write(self, state: LateRows) -> None:
        """Keep it."""
        self._storage.set_cursor_values({self._key: state.cursor()})
