"""The part of a card that is kept current: coverage by year, and the columns. In Portuguese, columns in English too.

Where it stands in a card belongs to `card_block`.
"""

from collections.abc import Iterable, Sequence

from govbr_assets.core.coverage import Coverage
from govbr_assets.core.dataset_info import type_name
from govbr_assets.core.spec import DatasetSpec

SIZES = ("n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M", "10M<n<100M", "100M<n<1B", "1B<n<10B")
"""Size categories of the Hub, each ten times the one before."""

_NOTE = "<!-- Esta parte é reescrita a cada compactação semanal. Escreva fora dela. -->"
_COUNTED = (
    "Contado na última atualização desta página, que é semanal: os dias mais novos podem já estar nos dados e ainda não"
    " na tabela."
)
_UNCOUNTED = "As linhas serão contadas na próxima compactação semanal."


def current_block(spec: DatasetSpec, coverage: Coverage | None) -> str:
    """Write the part of a card that is kept current.

    Args:
        spec: what is published.
        coverage: of the dataset; None if nobody has counted it.

    Returns:
        Markdown, with an empty line at both ends.
    """
    counted = [_COUNTED, _coverage(coverage)] if coverage else [_UNCOUNTED]
    parts = [_NOTE, "## Cobertura", *counted, "## Dicionário de dados", _dictionary(spec)]
    return "\n" + "\n\n".join(parts) + "\n\n"


def size_category(rows: int) -> str:
    """Return the size category of a number of rows."""
    return SIZES[min(len(SIZES) - 1, max(0, len(str(rows)) - 3))]


def number(count: int) -> str:
    """Write a number as in Portuguese, such as `335.012`."""
    return f"{count:,}".replace(",", ".")


def _coverage(coverage: Coverage) -> str:
    """Write coverage by year."""
    rows = [
        [str(each.year), number(each.rows), number(each.days), str(each.first), str(each.last)]
        for each in coverage.years
    ]
    if coverage.undated:
        rows.append(["sem data", number(coverage.undated), "", "", ""])
    if coverage.days:
        total = [number(coverage.rows), number(coverage.days), str(coverage.first), str(coverage.last)]
        rows.append([f"**{each}**" for each in ("Total", *total)])
    head = ("Ano", "Linhas", "Dias com linhas", "Primeiro dia", "Último dia")
    return _table(head, ("---", "---:", "---:", "---", "---"), rows)


def _dictionary(spec: DatasetSpec) -> str:
    """Write what the columns are."""
    portuguese = spec.introduction.columns
    rows = [
        (f"`{each.name}`", f"`{type_name(each.type)}`", portuguese.get(each.name, each.description), each.description)
        for each in spec.columns
    ]
    return _table(("Coluna", "Tipo", "Descrição", "*Description*"), ("---",) * 4, rows)


def _table(head: Sequence[str], rule: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a Markdown table, in which a cell is one line."""
    cells = [head, rule, *([" ".join(cell.split()).replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)
