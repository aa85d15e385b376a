"""The card of a repo that has none, in Portuguese and some English: what the dataset is, and how to load it.

The part of it that is kept current is made in `card_tables`, and `configs` in `selection`.
"""

from dataclasses import dataclass

import yaml

from govbr_assets.core.card_block import BEGIN, END
from govbr_assets.core.layout import DATA_PATTERN
from govbr_assets.core.spec import DatasetSpec

_LOAD = """
## Como carregar

Tudo, com a biblioteca [`datasets`](https://huggingface.co/docs/datasets):

```python
from datasets import load_dataset

dados = load_dataset("{repo}", split="train")
```

Só as primeiras linhas, sem baixar tudo (*streaming*):

```python
for linha in load_dataset("{repo}", split="train", streaming=True).take(10):
    print(linha)
```
"""

_FILTER = """
Com um filtro, pelo [DuckDB](https://duckdb.org), que lê apenas as colunas e os trechos necessários:

```sql
SELECT *
FROM 'hf://datasets/{repo}/{pattern}'
WHERE {time} >= TIMESTAMPTZ '2026-01-01 00:00:00-03:00'
  AND {time} < TIMESTAMPTZ '2026-02-01 00:00:00-03:00';
```

O mesmo caminho `hf://` serve para `polars.read_parquet` e `pandas.read_parquet`.
"""

_PIN = """
Para que um trabalho possa ser repetido com os mesmos dados, fixe uma versão: {pin}:

```python
dados = load_dataset("{repo}", split="train", revision="{revision}")
```
"""

_PIN_TAG = "cada versão semanal tem uma *tag* com a data, no formato `AAAA.MM.DD`, listada em `CHANGELOG.md`"
_PIN_COMMIT = "use o código (*hash*) de um *commit*, que está na aba *Files and versions*"

_MADE = """
## Como é feito

- As linhas vêm de um banco de dados PostgreSQL e são publicadas por um processo automático, o `govbr_assets`.
- Todos os dias, de madrugada, entra o dia anterior: um arquivo `data/train-AAAA-MM-DD.parquet`. Linhas que chegam
  atrasadas, que mudam ou que são apagadas na origem são corrigidas também nos dias já publicados.
- Uma vez por semana os arquivos diários são reunidos em um arquivo por ano, `data/train-AAAA-00.parquet`. O que mudou
  fica registrado em `CHANGELOG.md`.
- Cada linha aparece uma única vez; `{key}` a identifica. Todos os arquivos têm as mesmas colunas.
- Um dia é o dia do calendário em America/Sao_Paulo, segundo `{time}`.

## Encontrou um erro?

Faltam linhas, há linhas erradas ou o conjunto não carrega? Abra uma discussão em
[Community](https://huggingface.co/datasets/{repo}/discussions) e informe o dia e, se houver, o `{key}` da linha.
"""

_MIRRORED = """
## Como é feito

- É uma projeção de um conjunto de dados maior, com os mesmos arquivos, as mesmas linhas na mesma ordem e menos
  colunas, feita por um processo automático, o `govbr_assets`.
- Acompanha o conjunto completo a cada mudança dele. Cada *commit* diz em `Source-Revision` que revisão dele está aqui.

## Encontrou um erro?

Faltam linhas, há linhas erradas ou o conjunto não carrega? Abra uma discussão em
[Community](https://huggingface.co/datasets/{repo}/discussions) e informe o arquivo.
"""

_LICENSE = """
## Licença

`{license}`
"""

_MIRRORED_ENGLISH = """
## In English

{text}

It mirrors a larger dataset file by file, with fewer columns, and follows each of its changes. The code above loads it,
and the table of columns has an English description of each. Please report faults in
[Community](https://huggingface.co/datasets/{repo}/discussions).
"""

_ENGLISH = """
## In English

{text}

It is updated every day; every week its files are compacted and `CHANGELOG.md` says what changed. The code above loads
it, and the table of columns has an English description of each. Please report faults in
[Community](https://huggingface.co/datasets/{repo}/discussions).
"""


@dataclass(frozen=True)
class CardFacts:
    """What a new card says of a repo.

    Attributes:
        repo_id: `namespace/name`.
        license_id: an identifier of the Hub; empty leaves it out.
        tagged: whether releases get tags.
    """

    repo_id: str
    license_id: str = ""
    tagged: bool = True


def new_card(spec: DatasetSpec, facts: CardFacts, size: str, block: str) -> str:
    """Write a card for a repo that has none.

    Args:
        spec: what is published.
        facts: about the repo.
        size: a size category of the Hub; empty if nobody has counted the rows.
        block: the part that is kept current.

    Returns:
        The card, without `configs` and `dataset_info`.
    """
    introduction = spec.introduction
    named = {"key": spec.key, "time": spec.event_time, "pattern": DATA_PATTERN}
    named |= {"repo": facts.repo_id, "license": facts.license_id}
    made, english = (_MADE, _ENGLISH) if spec.key else (_MIRRORED, _MIRRORED_ENGLISH)
    pin, revision = (_PIN_TAG, "AAAA.MM.DD") if facts.tagged and spec.key else (_PIN_COMMIT, "0123456789abcdef…")
    return "".join(
        [
            f"---\n{_metadata(spec, facts, size)}---\n\n# {introduction.title}\n\n{introduction.text}\n",
            _LOAD.format(**named),
            _FILTER.format(**named) if spec.event_time else "",
            _PIN.format(**named, pin=pin, revision=revision),
            f"\n{BEGIN}\n{block}{END}\n",
            made.format(**named),
            _LICENSE.format(**named) if facts.license_id else "",
            english.format(**named, text=introduction.english),
        ]
    )


def _metadata(spec: DatasetSpec, facts: CardFacts, size: str) -> str:
    """Write what the Hub looks for datasets by."""
    known: dict[str, object] = {"language": [*spec.introduction.languages]}
    known |= {"license": facts.license_id} if facts.license_id else {}
    known |= {"pretty_name": spec.introduction.title}
    known |= {"size_categories": [size]} if size else {}
    known |= {"tags": [*spec.introduction.tags]} if spec.introduction.tags else {}
    return yaml.safe_dump(known, sort_keys=False, allow_unicode=True)
