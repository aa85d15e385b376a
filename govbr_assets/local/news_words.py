"""The vocabulary of the sample news.

Words and names belong here, the frequent ones first; how they make a sentence does not (`news_text`).
"""


def _words(text: str) -> list[str]:
    return text.split()


STEMS = _words("""
educ form comunic aplic fiscaliz organiz regulament coorden administr implement inform integr colabor particip
certific capacit moderniz digitaliz autoriz renov recuper restaur preserv conserv observ investig oper negoci articul
mobiliz vacin orient document program habilit qualific divulg inaugur apresent represent contrat licit arrecad tribut
export import industrializ urbaniz explor fund instal ampli valoriz simplific identific classific verific notific
unific fortific intensific diversific comprov aprov declar prepar separ repar compar cooper regener moder liber
deliber aceler aliment fundament experiment complement adapt adot anex antecip apur associ atualiz automatiz canaliz
capt catalog centraliz climatiz coloc comemor compens concili confirm consagr consolid consult contempl convoc cri
cultiv decor dedic delimit deleg demonstr descentraliz design destin determin elabor elev elimin emancip enumer
equip erradic estabiliz estim estimul estrutur examin facilit federaliz filtr fix formaliz fumig ger gradu harmoniz
homolog humaniz ilumin ilustr imuniz incorpor indic inici inov inspir interpret irrig lapid legaliz loc localiz
maximiz medi migr minimiz motiv nacionaliz nomin normaliz ocup otimiz padroniz paviment pontu popul postul potencializ
privatiz profissionaliz projet promulg prorrog public purific ratific reabilit realiz reestrutur registr
regulariz remuner reorganiz revitaliz revog rot san sanitiz segment sensibiliz sinaliz sincroniz situ solicit
suplement sustent transform utiliz valid vincul visualiz vocacion viabiliz aloc avali premi
""")
"""Verbs in -ar without their ending; each makes a noun in -ação."""

MASCULINE = _words("""
programa projeto sistema plano acordo ministério governo município estado país setor recurso investimento orçamento
edital decreto relatório estudo levantamento serviço atendimento desenvolvimento acesso direito crédito financiamento
benefício cadastro prazo processo produto mercado comércio transporte porto aeroporto hospital laboratório instituto
centro conselho comitê fórum seminário encontro congresso evento curso treinamento concurso prêmio museu acervo
patrimônio território parque bioma clima rio solo alimento agronegócio produtor trabalhador servidor estudante
professor pesquisador gestor atleta cidadão consumidor usuário empreendedor exportador satélite foguete dado indicador
índice resultado crescimento avanço desafio objetivo compromisso diálogo debate painel aplicativo portal canal
documento contrato convênio fundo imposto tributo salário emprego combustível petróleo gás minério leilão terminal
trem ônibus navio avião veículo equipamento medicamento tratamento exame diagnóstico leito paciente médico surto vírus
monitoramento controle combate crime sigilo julgamento parecer voto regimento estatuto mutirão calendário mapa censo
registro selo guia manual
""")
"""Nouns."""

FEMININE = _words("""
política agência secretaria universidade escola pesquisa ciência tecnologia inovação saúde educação segurança cultura
economia indústria agricultura energia infraestrutura rodovia ferrovia ponte barragem obra reforma lei portaria medida
norma regra proposta iniciativa parceria rede plataforma ferramenta base carteira conta receita despesa dívida meta
taxa tarifa renda moradia família criança mulher juventude comunidade aldeia floresta água bacia costa fronteira
região cidade capital feira mostra exposição oficina palestra reunião audiência consulta conferência cúpula missão
visita viagem delegação equipe diretoria coordenação comissão assembleia câmara justiça defesa força operação
apreensão prisão denúncia auditoria transparência integridade ética governança gestão cooperação assistência
previdência aposentadoria bolsa vaga prova inscrição matrícula formatura tese patente marca empresa cooperativa
startup safra colheita pecuária pesca vacina campanha doença epidemia vigilância emergência ambulância farmácia rotina
agenda pauta nota cerimônia
""")
"""Nouns."""

ADJECTIVES = _words("""
federal nacional regional estadual municipal internacional social ambiental digital cultural rural industrial
comercial fiscal legal penal eleitoral florestal mineral espacial sustentável responsável renovável acessível
disponível importante relevante permanente constante crescente eficiente inteligente transparente abrangente emergente
recente independente popular escolar hospitalar alimentar familiar similar complementar militar nuclear singular
regulamentar interdisciplinar maior menor melhor superior inferior anterior interior exterior simples especial inicial
final total parcial central geral atual anual mensal semanal virtual presencial setorial territorial institucional
profissional educacional ministerial presidencial vulnerável favorável estável possível viável notável infantil
juvenil civil estudantil útil fértil móvel verde grande comum forte leve breve livre jovem
""")
"""The ones with one form for both genders."""

CITIES = [
    name.replace("_", " ")
    for name in _words("""
Brasília São_Paulo Salvador Fortaleza Belo_Horizonte Manaus Curitiba Recife Goiânia Belém Porto_Alegre São_Luís Maceió
Campo_Grande Teresina João_Pessoa Natal Cuiabá Aracaju Florianópolis Vitória Porto_Velho Macapá Rio_Branco Boa_Vista
Palmas Campinas Santos Uberlândia Londrina Joinville Petrolina Juazeiro Ilhéus Sobral Mossoró Caruaru Santarém Marabá
Imperatriz Dourados Anápolis Pelotas Caxias_do_Sul Foz_do_Iguaçu Ouro_Preto Tefé Oiapoque Alcântara
""")
]

FIRST = _words("""
Ana Maria João José Carlos Paulo Luiz Fernanda Juliana Márcia Beatriz Camila Rafael Renato Sílvia Teresa Vera Otávio
""")

LAST = _words("""
Silva Santos Oliveira Souza Lima Pereira Costa Ferreira Almeida Ribeiro Gonçalves Araújo Teixeira Moura Paixão Rezende
""")
