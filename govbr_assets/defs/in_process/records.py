"""Dagster's records, as commands open them; whatever is wrong with them is a sentence of ours."""

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from dagster import DagsterError, DagsterInstance
from dagster_shared.check import CheckError
from yaml import YAMLError

from govbr_assets.errors import ConfigurationError, GovbrAssetsError, NoRoomError, StorageUnavailableError

_LIBRARIES = {"sqlalchemy", "sqlite3", "alembic", "psycopg2", "dagster_postgres", "dagster_mysql", "pymysql"}
"""Whose exceptions Dagster lets through, and nobody else in a command meets; none of them is imported here."""

_MAX_CHARACTERS = 400  # of Dagster's message, which can list all the settings that there are


@contextmanager
def open_instance(home: str) -> Iterator[DagsterInstance]:
    """Open Dagster's instance in DAGSTER_HOME.

    Args:
        home: DAGSTER_HOME.

    Raises:
        ConfigurationError: it cannot be opened.
        StorageUnavailableError: the database that its `dagster.yaml` names is damaged or unreachable, now or later.
    """
    check_home(home)

    def unavailable(reason: str) -> StorageUnavailableError:
        """Say why the records cannot be used, and what helps."""
        return StorageUnavailableError(
            f"Dagster's records in DAGSTER_HOME ({home}) cannot be used: {reason}. Look at the storage in dagster.yaml"
            " there; without one it is SQLite in that folder, of which damaged files have to be restored, or moved away"
            " to begin anew."
        )

    with _failures(unavailable):
        try:
            instance = DagsterInstance.get()
        except (CheckError, DagsterError, OSError, YAMLError) as error:
            found = [each.message for each in getattr(error, "errors", ())]  # of settings in dagster.yaml
            reason = " ".join((found or [str(error)])[0].partition("\n\n")[0].split())[:_MAX_CHARACTERS]
            raise ConfigurationError(f"Dagster's records in DAGSTER_HOME cannot be opened: {reason}") from None
        with instance:
            yield instance


def check_home(home: str) -> None:
    """Check what Dagster asks of DAGSTER_HOME, for commands that open it late or not at all.

    Args:
        home: DAGSTER_HOME; empty if it is not set.

    Raises:
        ConfigurationError: it is no absolute path of a folder.
    """
    if home and not (Path(home).is_absolute() and Path(home).is_dir()):
        raise ConfigurationError(
            f"Dagster's records in DAGSTER_HOME cannot be opened: {home!r} is no absolute path of a folder that is"
            " there; correct it, or leave it out to keep no records."
        )


@contextmanager
def open_temporary_instance(folder: Path, settings: dict[str, Any]) -> Iterator[DagsterInstance]:
    """Open an instance in a temporary folder.

    Args:
        folder: empty.
        settings: as `dagster.yaml` has them.

    Raises:
        NoRoomError: its disk is full, now or later.
    """

    def no_room(reason: str) -> NoRoomError:
        """Say why the records cannot be written, and what helps."""
        return NoRoomError(
            f"Dagster's temporary records in TMPDIR ({folder.parent}) cannot be written: {reason}. Make room there, or"
            " set TMPDIR to a folder on a larger disk."
        )

    with _failures(no_room):
        (folder / "dagster.yaml").touch()  # or Dagster asks for it in a warning
        with DagsterInstance.local_temp(str(folder), settings) as instance:
            yield instance


class _failures(AbstractContextManager[None, bool | None]):  # noqa: N801 - called like a function
    """Translate the exceptions of Dagster's storage, whether it is being opened or in use.

    Args:
        ours: makes our error of what the database says.
    """

    def __init__(self, ours: Callable[[str], GovbrAssetsError]) -> None:
        self._ours = ours

    def __enter__(self) -> None:
        """Let nothing be logged of attempts, the last of which is the error."""
        logging.getLogger().addFilter(self._nothing)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        """Raise our error without its cause, which is long and helps nobody."""
        logging.getLogger().removeFilter(self._nothing)
        if error is None or _LIBRARIES.isdisjoint(each.__module__.partition(".")[0] for each in type(error).__mro__):
            return None
        raise self._ours(_reason(error)) from None

    def _nothing(self, _: logging.LogRecord) -> bool:
        """Reject a record: `dagster_postgres` logs to the root, where nothing else of a command does.

        It is a method so that each of two contexts, one within the other, removes its own.
        """
        return False


def _reason(error: BaseException) -> str:
    """Return the first line of what the database itself has said; libraries around it add their own words."""
    while not hasattr(error, "orig") and error.__cause__:
        error = error.__cause__
    lines = str(getattr(error, "orig", None) or error).strip().splitlines()
    return lines[0].rstrip(".:") if lines else type(error).__name__
