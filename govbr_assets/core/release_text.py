"""What a release says of itself, in Portuguese: the entry of the changelog, which is the message of the tag as well."""

from govbr_assets.core.card_tables import number
from govbr_assets.core.coverage import Coverage
from govbr_assets.core.days import Day
from govbr_assets.core.releases import ChangesSince, name_before
from govbr_assets.core.spec import DatasetSpec


def entry(name: str, spec: DatasetSpec, coverage: Coverage, changes: ChangesSince) -> str:
    """Write the entry of a release for the changelog.

    Args:
        name: of the release.
        spec: what is published.
        coverage: of the dataset, with this release.
        changes: since the release before.
    """
    lines = [_size(coverage), _changes(changes), f"Esquema: versão {spec.version}, {len(spec.columns)} colunas."]
    return f"## {name}\n\n" + "".join(f"- {line}\n" for line in lines)


def message_before(day: Day) -> str:
    """Write the message of a tag for the state before a change of the whole dataset.

    Args:
        day: of the change.
    """
    return f"{name_before(day)}\n\nO conjunto de dados como era antes da reorganização de {day}."


def _size(coverage: Coverage) -> str:
    """Return how large the dataset is."""
    days = f" em {number(coverage.days)} {_plural(coverage.days, 'dia', 'dias')}"
    span = f", de {coverage.first} a {coverage.last}" if coverage.days else ""
    undated = f"; {_rows(coverage.undated)} sem data" if coverage.undated else ""
    return f"{_rows(coverage.rows)}{days}{span}{undated}."


def _changes(changes: ChangesSince) -> str:
    """Return what happened to rows."""
    if not changes.name:
        return "Primeira versão: as mudanças são contadas a partir daqui."
    if changes.counts is None:
        commits = f"{number(changes.uncounted)} {_plural(changes.uncounted, 'commit', 'commits')}"
        return (
            f"Desde {changes.name}: as linhas que mudaram não foram contadas, pois houve {commits} de terceiros ou de"
            " volta a uma versão anterior."
        )
    counts = changes.counts
    words = [
        f"{_rows(counts.added)} {_plural(counts.added, 'acrescentada', 'acrescentadas')}",
        f"{number(counts.changed)} {_plural(counts.changed, 'alterada', 'alteradas')}",
        f"{number(counts.removed)} {_plural(counts.removed, 'removida', 'removidas')}",
    ]
    return f"Desde {changes.name}: {words[0]}, {words[1]} e {words[2]}."


def _rows(count: int) -> str:
    return f"{number(count)} {_plural(count, 'linha', 'linhas')}"


def _plural(count: int, one: str, many: str) -> str:
    return one if count == 1 else many
