"""What the changelog says, in Portuguese: of a release, which is the message of its tag as well, and of new ids."""

import re

from govbr_assets.core.card_tables import number
from govbr_assets.core.coverage import Coverage
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
    lines += [_renamed(changes.renamed, spec, changes.name, restored=changes.restored)] if changes.renamed else []
    return f"## {name}\n\n" + "".join(f"- {line}\n" for line in lines)


def entry_of_ids(name: str, spec: DatasetSpec, renamed: int) -> str:
    """Write the entry of a day on which ids changed.

    Args:
        name: of the day, as a release of it would be called.
        spec: what is published.
        renamed: ids that are not there any more because their rows have other ones.
    """
    return f"## {name}\n\n- {_renamed(renamed, spec)}\n- Ainda não há *tag*: a próxima versão inclui esta mudança.\n"


def renamed_in(entry: str) -> int:
    """Read how many ids an entry of `entry_of_ids` tells of; 0 if it is another one."""
    found = _RENAMED.match(entry)
    return int(found[1].replace(".", "")) if found else 0


def message_before(release: str) -> str:
    """Write the message of a tag for the state before a change of the whole dataset.

    Args:
        release: that the change is.
    """
    return f"{name_before(release)}\n\nO conjunto de dados como era antes da reorganização de {release}."


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


_RENAMED = re.compile(r"- Identificadores: (\d[\d.]*) linhas? ")


def _renamed(renamed: int, spec: DatasetSpec, since: str = "", *, restored: bool = False) -> str:
    """Tell readers who have joined other data by ids which ones are others now, and where the old ones are."""
    have = _plural(renamed, "tem", "têm")
    old = (
        f"o anterior está na coluna `{spec.alias}`"
        if spec.alias in spec.schema.names
        else f"o anterior (`{spec.alias}` no PostgreSQL) não é publicado"
    )
    still = f"; a versão {since} ainda tem os anteriores" if since and not restored else ""
    after = " desde a volta a uma versão anterior" if restored else ""
    return (
        f"Identificadores{after}: {_rows(renamed)} {have} outro `{spec.key}`, e {old}{still}. Quem cruzou dados pelo"
        " identificador anterior deve refazer o cruzamento."
    )


def _rows(count: int) -> str:
    return f"{number(count)} {_plural(count, 'linha', 'linhas')}"


def _plural(count: int, one: str, many: str) -> str:
    return one if count == 1 else many
