"""What is published: one spec a dataset, and its projections. To add a column is one line here.

What is made of a spec, and what a column can say of itself, belongs to `core.spec`.
"""

import pyarrow as pa

from govbr_assets.core.layout import FileLayout
from govbr_assets.core.projection import Projection
from govbr_assets.core.spec import Column, DatasetSpec, Introduction

_TEXT, _TEXTS = pa.string(), pa.list_(pa.field("element", pa.string()))  # the name that Parquet gives back
_INSTANT = pa.timestamp("us", tz="-03:00")  # an instant is the same under any offset; readers see this one
_UTC_NANOSECONDS = pa.timestamp("ns")  # naive, UTC wall time

_INTRODUCTION = Introduction(
    title="Notícias do governo federal brasileiro",
    text=(
        "Notícias que os órgãos do governo federal brasileiro (ministérios, agências, autarquias, fundações,"
        " institutos) publicaram em seus sites, de 2003 até hoje: uma linha por notícia, com título, texto completo em"
        " Markdown, órgão, data, endereço, resumo e temas.\n\n*In English: see the last section.*"
    ),
    english=(
        "News that agencies of the Brazilian federal government have published on their websites since 2003: one row"
        " for each, with title, full text in Markdown, agency, time, address, summary and themes."
    ),
    tags=("news", "notícias", "government", "governo", "brazil", "brasil"),
    columns={
        "unique_id": "Identificador da notícia; nenhuma outra o tem.",
        "agency": "Sigla do órgão que a publicou.",
        "published_at": "Quando o órgão a publicou.",
        "updated_datetime": "Quando o órgão a alterou pela última vez, se alterou.",
        "extracted_at": "Quando foi coletada, em UTC.",
        "title": "Título.",
        "subtitle": "Subtítulo.",
        "editorial_lead": "Linha curta acima do título (chapéu).",
        "url": "Endereço da página.",
        "content": "Texto da notícia em Markdown.",
        "image": "Endereço da imagem.",
        "video_url": "Endereço do vídeo.",
        "category": "Categoria dada pelo órgão.",
        "tags": "Etiquetas dadas pelo órgão.",
        "theme_1_level_1": "O mesmo que o nome do tema de nível 1; em linhas antigas, código e nome.",
        "theme_1_level_1_code": "Código do tema de nível 1.",
        "theme_1_level_1_label": "Nome do tema de nível 1.",
        "theme_1_level_2_code": "Código do tema de nível 2.",
        "theme_1_level_2_label": "Nome do tema de nível 2.",
        "theme_1_level_3_code": "Código do tema de nível 3.",
        "theme_1_level_3_label": "Nome do tema de nível 3.",
        "most_specific_theme_code": "Código do tema mais específico.",
        "most_specific_theme_label": "Nome do tema mais específico.",
        "summary": "Resumo.",
    },
)
"""What a new dataset card says of the news, with the descriptions of the columns in Portuguese."""

# Source of names, types and order: the files of the public dataset.
NEWS = DatasetSpec(
    name="news",
    columns=(
        Column("unique_id", _TEXT, "n.unique_id", "Id of the news item; no other row has it.", statistics=True),
        Column(
            "agency", _TEXT, "n.agency_key", "Key of the agency that published it.", dictionary=True, statistics=True
        ),
        Column("published_at", _INSTANT, "n.published_at", "When the agency published it.", statistics=True),
        Column("updated_datetime", _INSTANT, "n.updated_datetime", "When the agency last changed it; null if never."),
        Column("extracted_at", _UTC_NANOSECONDS, "n.extracted_at", "When it was collected, in UTC."),
        Column("title", _TEXT, "n.title", "Title of the news item."),
        Column("subtitle", _TEXT, "n.subtitle", "Subtitle below the title."),
        Column("editorial_lead", _TEXT, "n.editorial_lead", "Short line above the title."),
        Column("url", _TEXT, "n.url", "URL of the page on which the agency published it."),
        Column("content", _TEXT, "n.content", "Full text in Markdown."),
        Column("image", _TEXT, "n.image_url", "URL of its main image."),
        Column("video_url", _TEXT, "n.video_url", "URL of its video."),
        Column("category", _TEXT, "n.category", "Category given by the agency.", dictionary=True),
        Column("tags", _TEXTS, "n.tags", "Tags given by the agency.", dictionary=True),
        Column(
            "theme_1_level_1", _TEXT, "l1.label", "The same as its label; in old rows code and label.", dictionary=True
        ),
        Column("theme_1_level_1_code", _TEXT, "l1.code", "Code of the theme of level 1.", dictionary=True),
        Column("theme_1_level_1_label", _TEXT, "l1.label", "Label of the theme of level 1.", dictionary=True),
        Column("theme_1_level_2_code", _TEXT, "l2.code", "Code of the theme of level 2.", dictionary=True),
        Column("theme_1_level_2_label", _TEXT, "l2.label", "Label of the theme of level 2.", dictionary=True),
        Column("theme_1_level_3_code", _TEXT, "l3.code", "Code of the theme of level 3.", dictionary=True),
        Column("theme_1_level_3_label", _TEXT, "l3.label", "Label of the theme of level 3.", dictionary=True),
        Column("most_specific_theme_code", _TEXT, "ms.code", "Code of the most specific theme.", dictionary=True),
        Column("most_specific_theme_label", _TEXT, "ms.label", "Label of the most specific theme.", dictionary=True),
        Column("summary", _TEXT, "n.summary", "Summary of the text."),
    ),
    key="unique_id",
    alias="legacy_unique_id",
    event_time="published_at",
    newest_by=("extracted_at", "updated_datetime"),
    layout=FileLayout(),
    introduction=_INTRODUCTION,
)
"""The news of the Brazilian government, one row each."""

REDUCED = Projection(
    of=NEWS,
    columns=("published_at", "agency", "title", "url"),
    name="reduced",
    introduction=Introduction(
        title="Notícias do governo federal brasileiro, versão reduzida",
        text=(
            "Data, órgão, título e endereço das notícias que os órgãos do governo federal brasileiro publicaram em seus"
            " sites, de 2003 até hoje: uma linha por notícia, sem o texto.\n\n*In English: see the last section.*"
        ),
        english=(
            "Time, agency, title and address of the news that agencies of the Brazilian federal government have"
            " published on their websites since 2003: one row for each, without its text."
        ),
        tags=_INTRODUCTION.tags,
        columns=_INTRODUCTION.columns,
    ),
)
"""The news without their text: 4 columns, mirrored file by file."""
