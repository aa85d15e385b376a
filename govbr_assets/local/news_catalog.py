"""Who publishes the sample news and what it is about: the rows of the tables `agencies` and `themes`.

Names of federal bodies and a theme tree of three levels belong here; news does not (`news`).
"""

from functools import cache

import pyarrow as pa

_BODIES = """
mec Ministério da Educação; saude Ministério da Saúde; fazenda Ministério da Fazenda;
mcti Ministério da Ciência, Tecnologia e Inovação; agricultura Ministério da Agricultura e Pecuária;
mj Ministério da Justiça e Segurança Pública; mma Ministério do Meio Ambiente e Mudança do Clima;
mds Ministério do Desenvolvimento Social; defesa Ministério da Defesa; transportes Ministério dos Transportes;
planalto Presidência da República; mre Ministério das Relações Exteriores;
gestao Ministério da Gestão e da Inovação em Serviços Públicos; trabalho-e-emprego Ministério do Trabalho e Emprego;
cultura Ministério da Cultura; turismo Ministério do Turismo; esporte Ministério do Esporte;
mme Ministério de Minas e Energia; cidades Ministério das Cidades; mcom Ministério das Comunicações;
mdh Ministério dos Direitos Humanos e da Cidadania; mulheres Ministério das Mulheres;
igualdaderacial Ministério da Igualdade Racial; povosindigenas Ministério dos Povos Indígenas;
mpa Ministério da Pesca e Aquicultura; mda Ministério do Desenvolvimento Agrário e Agricultura Familiar;
mdic Ministério do Desenvolvimento, Indústria, Comércio e Serviços; planejamento Ministério do Planejamento e Orçamento;
previdencia Ministério da Previdência Social; mdr Ministério da Integração e do Desenvolvimento Regional;
portos-e-aeroportos Ministério de Portos e Aeroportos; memp Ministério do Empreendedorismo; casacivil Casa Civil;
secom Secretaria de Comunicação Social; secretariageral Secretaria-Geral; sri Secretaria de Relações Institucionais;
gsi Gabinete de Segurança Institucional; vice-presidencia Vice-Presidência da República;
cgu Controladoria-Geral da União; agu Advocacia-Geral da União; pgfn Procuradoria-Geral da Fazenda Nacional;
receitafederal Receita Federal; tesouronacional Tesouro Nacional; pf Polícia Federal; prf Polícia Rodoviária Federal;
senappen Secretaria Nacional de Políticas Penais; abin Agência Brasileira de Inteligência;
aeb Agência Espacial Brasileira; abcd Autoridade Brasileira de Controle de Dopagem;
acessoainformacao Acesso à Informação; ana Agência Nacional de Águas e Saneamento Básico;
anac Agência Nacional de Aviação Civil; anatel Agência Nacional de Telecomunicações; ancine Agência Nacional do Cinema;
aneel Agência Nacional de Energia Elétrica; anm Agência Nacional de Mineração;
anp Agência Nacional do Petróleo, Gás Natural e Biocombustíveis; ans Agência Nacional de Saúde Suplementar;
antaq Agência Nacional de Transportes Aquaviários; antt Agência Nacional de Transportes Terrestres;
anvisa Agência Nacional de Vigilância Sanitária; anpd Autoridade Nacional de Proteção de Dados;
ansn Autoridade Nacional de Segurança Nuclear; bcb Banco Central do Brasil; bnb Banco do Nordeste;
basa Banco da Amazônia; bndes Banco Nacional de Desenvolvimento; cade Conselho Administrativo de Defesa Econômica;
capes Coordenação de Aperfeiçoamento de Pessoal de Nível Superior;
cnpq Conselho Nacional de Desenvolvimento Científico e Tecnológico; cnen Comissão Nacional de Energia Nuclear;
cvm Comissão de Valores Mobiliários; conab Companhia Nacional de Abastecimento;
codevasf Companhia de Desenvolvimento dos Vales do São Francisco e do Parnaíba;
dnit Departamento Nacional de Infraestrutura de Transportes; dnocs Departamento Nacional de Obras Contra as Secas;
ebserh Empresa Brasileira de Serviços Hospitalares; embrapa Empresa Brasileira de Pesquisa Agropecuária;
embratur Agência Brasileira de Promoção do Turismo; enap Escola Nacional de Administração Pública;
epe Empresa de Pesquisa Energética; fbn Fundação Biblioteca Nacional; fcrb Fundação Casa de Rui Barbosa;
finep Financiadora de Estudos e Projetos; fiocruz Fundação Oswaldo Cruz;
fnde Fundo Nacional de Desenvolvimento da Educação; funai Fundação Nacional dos Povos Indígenas;
funarte Fundação Nacional de Artes; funasa Fundação Nacional de Saúde; fundacentro Fundação Jorge Duprat Figueiredo;
fundaj Fundação Joaquim Nabuco; ibama Instituto Brasileiro do Meio Ambiente;
ibge Instituto Brasileiro de Geografia e Estatística; icmbio Instituto Chico Mendes;
incra Instituto Nacional de Colonização e Reforma Agrária; inca Instituto Nacional de Câncer;
inep Instituto Nacional de Estudos e Pesquisas Educacionais; inmetro Instituto Nacional de Metrologia;
inpe Instituto Nacional de Pesquisas Espaciais; inpi Instituto Nacional da Propriedade Industrial;
inss Instituto Nacional do Seguro Social; iphan Instituto do Patrimônio Histórico e Artístico Nacional;
iti Instituto Nacional de Tecnologia da Informação; mast Museu de Astronomia e Ciências Afins;
palmares Fundação Cultural Palmares; museudoindio Museu Nacional dos Povos Indígenas
"""
_STATES = """
ac do Acre; al de Alagoas; ap do Amapá; am do Amazonas; ba da Bahia; ce do Ceará; df do Distrito Federal;
es do Espírito Santo; go de Goiás; ma do Maranhão; mt de Mato Grosso; ms de Mato Grosso do Sul; mg de Minas Gerais;
pa do Pará; pb da Paraíba; pr do Paraná; pe de Pernambuco; pi do Piauí; rj do Rio de Janeiro; rn do Rio Grande do Norte;
rs do Rio Grande do Sul; ro de Rondônia; rr de Roraima; sc de Santa Catarina; sp de São Paulo; se de Sergipe;
to do Tocantins
"""
_THEMES = """
Economia e Finanças: Política Econômica, Finanças Públicas, Sistema Bancário, Tributação
Educação: Ensino Básico, Ensino Superior, Educação Profissional e Capacitação, Programas e Políticas Educacionais
Saúde: Atenção Básica, Campanhas de Saúde Pública, Vigilância Sanitária, Hospitais e Unidades
Segurança Pública: Policiamento, Combate ao Crime Organizado, Sistema Prisional, Justiça e Segurança
Meio Ambiente e Sustentabilidade: Conservação Ambiental, Mudanças Climáticas, Águas e Saneamento, Fiscalização
Ciência, Tecnologia e Inovação: Pesquisa Científica, Desenvolvimento Tecnológico, Espaço, Política e Regulação
Infraestrutura e Transportes: Rodovias, Ferrovias, Portos e Hidrovias, Aviação Civil
Cultura, Artes e Patrimônio: Eventos Culturais, Patrimônio Histórico, Fomento às Artes, Cultura e Identidade Nacional
Esportes e Lazer: Competições Esportivas, Esporte de Base, Paradesporto, Integridade Esportiva
Agricultura, Pecuária e Abastecimento: Produção Agrícola, Pecuária, Agricultura Familiar, Defesa Agropecuária
Indústria e Comércio: Política Industrial, Comércio Exterior, Metrologia e Qualidade, Pequenas Empresas
Relações Internacionais e Diplomacia: Acordos e Tratados, Organismos, Cooperação Técnica, Assistência Consular
Justiça e Direitos Humanos: Acesso à Justiça, Direitos Humanos, Defesa do Consumidor, Migrações
Trabalho e Emprego: Geração de Emprego, Relações de Trabalho, Inspeção do Trabalho, Previdência
Desenvolvimento Social: Transferência de Renda, Assistência Social, Segurança Alimentar, Inclusão Produtiva
Turismo: Destinos Turísticos, Promoção Internacional, Qualificação do Setor, Turismo Sustentável
Energia e Recursos Minerais: Energia Elétrica, Petróleo e Gás, Mineração, Fontes Renováveis
Comunicações e Mídia: Telecomunicações, Radiodifusão, Inclusão Digital, Comunicação Pública
Defesa e Forças Armadas: Operações Militares, Indústria de Defesa, Fronteiras, Serviço Militar
Políticas Públicas e Governança: Transparência e Prestação de Contas, Planejamento, Governo Digital, Administração
Legislação e Regulamentação: Atos Normativos, Consultas Públicas, Agências Reguladoras, Contratações Públicas
Eventos Oficiais e Cerimônias: Agenda Oficial, Visitas de Estado, Premiações, Datas Comemorativas
Habitação e Urbanismo: Moradia Popular, Mobilidade Urbana, Regularização Fundiária, Planejamento Urbano
Minorias e Grupos Especiais: Povos Indígenas, Igualdade Racial, Pessoas com Deficiência, Pessoas Idosas
Ordenamento Territorial: Reforma Agrária, Desenvolvimento Regional, Cartografia e Dados, Defesa Civil
"""
_FACETS = ("Programas", "Normas", "Indicadores")

AGENCY_SCHEMA = pa.schema([("id", pa.int32()), ("key", pa.string()), ("name", pa.string())])
THEME_SCHEMA = pa.schema(
    [
        ("id", pa.int32()),
        ("code", pa.string()),
        ("label", pa.string()),
        ("full_name", pa.string()),
        ("level", pa.int32()),
        ("parent_code", pa.string()),
    ]
)


@cache
def sample_agencies() -> pa.Table:
    """Name the federal bodies, the busiest first.

    Returns:
        [n bodies x 3] with `id` from 1 on, `key` as in a gov.br address, `name`.
    """
    listed = [entry.split(" ", 1) for entry in _entries(_BODIES)]
    for kind, prefix in (("Universidade Federal", "uf"), ("Instituto Federal", "if")):
        listed += [[prefix + state[:2], f"{kind} {state[3:]}"] for state in _entries(_STATES)]
    rows = [{"id": number, "key": key, "name": name} for number, (key, name) in enumerate(listed, 1)]
    return pa.Table.from_pylist(rows, schema=AGENCY_SCHEMA)


@cache
def sample_themes() -> pa.Table:
    """Name the themes, each parent before its children.

    Returns:
        [n themes x 6] with `id` from 1 on, `code` as "01", "01.02" or "01.02.03", `label`, `full_name` as
        "01 - Economia e Finanças", `level` 1 to 3, and `parent_code`, null at level 1.
    """
    named: list[tuple[str, str]] = []
    for number, line in enumerate(_THEMES.strip().splitlines(), 1):
        # "Agricultura, Pecuária e ..." has a comma of its own, so only the part after the colon is a list.
        theme, children = line.split(": ")
        named.append((f"{number:02}", theme))
        for second, child in enumerate(children.split(", "), 1):
            named.append((f"{number:02}.{second:02}", child))
            leaves = enumerate(_FACETS, 1)
            named += [(f"{number:02}.{second:02}.{third:02}", f"{facet} de {child}") for third, facet in leaves]
    rows = [
        {
            "id": position,
            "code": code,
            "label": label,
            "full_name": f"{code} - {label}",
            "level": code.count(".") + 1,
            "parent_code": code.rpartition(".")[0] or None,
        }
        for position, (code, label) in enumerate(named, 1)
    ]
    return pa.Table.from_pylist(rows, schema=THEME_SCHEMA)


def _entries(text: str) -> list[str]:
    return [" ".join(entry.split()) for entry in text.split(";")]
