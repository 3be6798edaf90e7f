"""Portuguese."""

from .table import Language

PORTUGUESE = Language(
    code="pt",
    name="Portuguese",
    spaced=True,
    verbs={
        "add": "adicionar, adicione, adiciona, acrescentar, acrescente, acrescenta, inserir, insira, colocar, "
        "coloque, coloca, põe, pôr, ponha, bota, botar, bote, inclua, incluir, inclui, cria, criar, crie, "
        "simula, simular, simule, gera, gerar, gere, insere, desenhe, desenhar",
        "remove": "remover, remova, remove, retirar, retire, retira, eliminar, elimine, elimina, apagar, "
        "apague, excluir, exclua, tira, tirar, tire, apaga, exclui, suprime, suprimir, suprima",
        "change": "alterar, altere, altera, mudar, mude, muda, modificar, modifique",
        "increase": "aumentar, aumente, aumenta, piorar, piore, agravar, agrave, piora, agrava, intensifique, "
        "intensificar",
        "decrease": "diminuir, diminua, diminui, reduzir, reduza, reduz, atenuar, atenua, atenue, melhora, "
        "melhorar, melhore",
    },
    findings={
        "pleural effusion": "derrame pleural, derrames pleurais, derrame, derrames, líquido pleural",
        "consolidation": "consolidação, consolidações, consolidação pulmonar",
        "lung opacity": "opacidade pulmonar, opacidades pulmonares, opacidade, opacidades, infiltrado, "
        "infiltrados, infiltrado pulmonar, vidro fosco, opacidade em vidro fosco, opacidades em vidro fosco, "
        "opacidade em vidro despolido",
        "pneumonia": "pneumonia, pneumonias, broncopneumonia",
        "infection": "infecção, infeção, infecção pulmonar",
        "atelectasis": "atelectasia, atelectasias",
        "edema": "edema pulmonar, edema, edema intersticial, edema agudo de pulmão",
        "cardiomegaly": "cardiomegalia, coração aumentado, aumento do coração",
        "enlargement of the cardiac silhouette": "aumento da silhueta cardíaca, silhueta cardíaca aumentada",
        "pneumothorax": "pneumotórax",
        "hernia": "hérnia, hérnia de hiato, hérnia hiatal, hérnia diafragmática",
        "vascular congestion": "congestão vascular, congestão vascular pulmonar, congestão pulmonar",
        "hilar congestion": "congestão hilar",
        "heart failure": "insuficiência cardíaca, insuficiência cardíaca congestiva",
        "tortuosity of the descending aorta": "tortuosidade da aorta descendente, aorta descendente tortuosa",
        "tortuosity of the thoracic aorta": "tortuosidade da aorta torácica, aorta torácica tortuosa",
        "scoliosis": "escoliose",
        "gastric distention": "distensão gástrica",
        "hypoxemia": "hipoxemia, hipóxia",
        "hypertensive heart disease": "cardiopatia hipertensiva",
        "hematoma": "hematoma, hematomas",
        "contusion": "contusão, contusão pulmonar",
        "emphysema": "enfisema, enfisema pulmonar, hiperinsuflação",
        "granuloma": "granuloma, granulomas",
        "calcification": "calcificação, calcificações",
        "pleural thickening": "espessamento pleural, placa pleural",
        "thymoma": "timoma",
        "blunting of the costophrenic angle": "obliteração do seio costofrênico, "
        "obliteração do seio costofrénico, obliteração do ângulo costofrênico, "
        "apagamento do seio costofrênico, velamento do seio costofrênico",
        "fracture": "fratura, fraturas, fratura de costela, fratura costal, fraturas costais",
        "pneumomediastinum": "pneumomediastino",
        "air collection": "coleção de ar, coleção aérea",
        "lung lesion": "lesão pulmonar, lesões pulmonares, lesão, nódulo pulmonar, nódulo, massa pulmonar, "
        "massa, nódulos, nódulos pulmonares, massas",
    },
    sides={
        "left": "à esquerda, esquerdo, esquerda, esquerdos, esquerdas, no lado esquerdo, do lado esquerdo, esq, "
        "no esquerdo, na esquerda",
        "right": "à direita, direito, direita, direitos, direitas, no lado direito, do lado direito, dir, "
        "no direito, na direita",
        "bilateral": "em ambos os lados, bilateral, bilaterais, ambos os, ambas as, dos dois lados, "
        "esquerdo e direito, direito e esquerdo, à esquerda e à direita",
    },
    levels={
        "minimal": "mínimo, mínima, mínimos, mínimas",
        "subtle": "sutil, subtil, sutis, subtis, discreto, discreta",
        "minor": "ligeiro, ligeira, ligeiros, ligeiras",
        "small": "pequeno, pequena, pequenos, pequenas, pequena quantidade de, escasso, escassa",
        "mild": "leve, leves",
        "moderate": "moderado, moderada, moderados, moderadas",
        "large": "grande, grandes, volumoso, volumosa, extenso, extensa, importante",
        "severe": "grave, graves, severo, severa, acentuado, acentuada",
        "massive": "maciço, maciça, massivo, massiva",
        "acute": "agudo, aguda, agudos, agudas",
        "increasing": "em aumento, crescente",
        "decreasing": "em diminuição, decrescente",
    },
    zones={
        "upper": "superior, superiores",
        "middle": "média, médio, médias, médios",
        "lower": "inferior, inferiores",
        "apical": "apical, apicais, ápice, ápices",
        "basal": "basal, basais, base, bases",
        "perihilar": "peri-hilar, perihilar, peri-hilares, perihilares",
        "hilar": "hilar, hilares, hilo, hilos",
        "retrocardiac": "retrocardíaca, retrocardíaco",
        "costophrenic": "costofrênica, costofrênico, costofrénico, costofrénica, seio costofrênico, "
        "seio costofrénico, ângulo costofrênico",
    },
    conjunctions="e",
    arrows="para, a, até",
    fillers="o, a, os, as, um, uma, de, da, do, das, dos, em, no, na, nos, nas, com, por favor, achado, "
    "achados, sinal, sinais, grau, nível, gravidade, zona, zonas, campo, campos, lobo, lobos, lóbulo, "
    "pulmão, pulmões, pulmonar, pulmonares, terço, desde, lado, favor, pode, poderia, você, gostaria, "
    "quero, me, obrigado, obrigada, que, tamanho, quantidade",
    range_joiner="-",
    sentence="{verb}: {parts}.",
    change="{verb} o grau: {parts}.",
    order=("finding", "level", "side", "zone", "transition"),
    strength="de grau {}",
    zone="na zona {}",
    transition="de {before} para {after}",
    transition_to="para {after}",
)
