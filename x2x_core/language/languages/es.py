"""Spanish."""

from .table import Language

SPANISH = Language(
    code="es",
    name="Spanish",
    spaced=True,
    verbs={
        "add": "añadir, añade, añada, agregar, agrega, agregue, poner, pon, ponga, insertar, inserta, inserte, "
        "añadid, incluye, incluir, incluya, coloca, colocar, coloque, mete, meter, crea, crear, cree, simula, "
        "simular, simule, genera, generar, genere, introduce, introducir, introduzca, dibuja, dibujar, "
        "añádele, agrégale, ponle, pónganle, agreguen",
        "remove": "eliminar, elimina, elimine, quitar, quita, retirar, retira, suprimir, suprime, borrar, "
        "borra, quite, quítale, saca, sacar, saque, borre, retire, suprima, remueve, remover, remueva, "
        "elimínale, quitad",
        "change": "cambiar, cambia, cambie, modificar, modifica, modifique, pasa, pasar, pase, ajusta, ajustar, ajuste",
        "increase": "aumentar, aumenta, aumente, empeorar, empeora, agravar, agrava, incrementar, incrementa, "
        "agranda, agrandar, agrande, incremente, empeore, agrave",
        "decrease": "disminuir, disminuye, disminuya, reducir, reduce, reduzca, atenuar, atenúa, atenúe, "
        "mejora, mejorar, mejore, disminuid",
    },
    findings={
        "pleural effusion": "derrame pleural, derrames pleurales, derrame, derrames, líquido pleural",
        "consolidation": "consolidación, consolidaciones, consolidación pulmonar, condensación, condensaciones, "
        "condensación pulmonar",
        "lung opacity": "opacidad pulmonar, opacidades pulmonares, opacidad, opacidades, infiltrado, "
        "infiltrados, infiltrado pulmonar, opacidad en vidrio deslustrado, opacidades en vidrio deslustrado, "
        "vidrio deslustrado, vidrio esmerilado",
        "pneumonia": "neumonía, neumonías, bronconeumonía",
        "infection": "infección, infección pulmonar",
        "atelectasis": "atelectasia, atelectasias",
        "edema": "edema pulmonar, edema, edema intersticial, edema agudo de pulmón",
        "cardiomegaly": "cardiomegalia, corazón agrandado, corazón aumentado de tamaño",
        "enlargement of the cardiac silhouette": "aumento de la silueta cardíaca, silueta cardíaca aumentada, "
        "agrandamiento de la silueta cardíaca",
        "pneumothorax": "neumotórax",
        "hernia": "hernia, hernia de hiato, hernia hiatal, hernia diafragmática",
        "vascular congestion": "congestión vascular, congestión vascular pulmonar, congestión pulmonar",
        "hilar congestion": "congestión hiliar",
        "heart failure": "insuficiencia cardíaca, insuficiencia cardíaca congestiva",
        "tortuosity of the descending aorta": "tortuosidad de la aorta descendente, aorta descendente tortuosa",
        "tortuosity of the thoracic aorta": "tortuosidad de la aorta torácica, aorta torácica tortuosa",
        "scoliosis": "escoliosis",
        "gastric distention": "distensión gástrica",
        "hypoxemia": "hipoxemia, hipoxia",
        "hypertensive heart disease": "cardiopatía hipertensiva",
        "hematoma": "hematoma, hematomas",
        "contusion": "contusión, contusión pulmonar",
        "emphysema": "enfisema, enfisema pulmonar, hiperinsuflación",
        "granuloma": "granuloma, granulomas",
        "calcification": "calcificación, calcificaciones",
        "pleural thickening": "engrosamiento pleural, placa pleural",
        "thymoma": "timoma",
        "blunting of the costophrenic angle": "borramiento del ángulo costofrénico, "
        "pinzamiento del ángulo costofrénico, obliteración del ángulo costofrénico",
        "fracture": "fractura, fracturas, fractura costal, fracturas costales, fractura de costilla",
        "pneumomediastinum": "neumomediastino",
        "air collection": "colección de aire, colección aérea",
        "lung lesion": "lesión pulmonar, lesiones pulmonares, lesión, nódulo pulmonar, nódulo, masa pulmonar, "
        "masa, nódulos, nódulos pulmonares, masas",
    },
    sides={
        "left": "a la izquierda, izquierdo, izquierda, izquierdos, izquierdas, en el lado izquierdo, "
        "del lado izquierdo, en el izquierdo, izq, del izquierdo, de la izquierda, en la izquierda, "
        "hacia la izquierda",
        "right": "a la derecha, derecho, derecha, derechos, derechas, en el lado derecho, del lado derecho, "
        "en el derecho, der, dcho, dcha, del derecho, de la derecha, en la derecha",
        "bilateral": "en ambos lados, bilateral, bilaterales, ambos, ambas, en los dos lados, "
        "izquierdo y derecho, izquierda y derecha, derecho e izquierdo",
    },
    levels={
        "minimal": "mínimo, mínima, mínimos, mínimas",
        "subtle": "sutil, sutiles, discreto, discreta",
        "minor": "ligero, ligera, ligeros, ligeras",
        "small": "pequeño, pequeña, pequeños, pequeñas, escaso, escasa, pequeña cantidad de",
        "mild": "leve, leves",
        "moderate": "moderado, moderada, moderados, moderadas",
        "large": "grande, gran, grandes, importante, abundante, extenso, extensa",
        "severe": "grave, graves, severo, severa, severos, severas",
        "massive": "masivo, masiva, masivos, masivas",
        "acute": "agudo, aguda, agudos, agudas",
        "increasing": "en aumento, creciente",
        "decreasing": "en disminución, decreciente",
    },
    zones={
        "upper": "superior, superiores",
        "middle": "media, medio, medias, medios",
        "lower": "inferior, inferiores",
        "apical": "apical, apicales, ápice, ápices, vértice, vértices",
        "basal": "basal, basales, base, bases",
        "perihilar": "perihiliar, perihiliares",
        "hilar": "hiliar, hiliares, hilio, hilios",
        "retrocardiac": "retrocardíaca, retrocardíaco",
        "costophrenic": "costofrénica, costofrénico, costofrénicos, ángulo costofrénico",
    },
    conjunctions="y, e",
    arrows="a, hasta",
    fillers="el, la, los, las, un, una, unos, unas, lo, de, del, en, al, con, por favor, hallazgo, hallazgos, "
    "signo, signos, grado, nivel, gravedad, zona, zonas, campo, campos, lóbulo, lóbulos, pulmón, "
    "pulmones, pulmonar, pulmonares, tercio, desde, lado, favor, porfa, puedes, podrías, puede, podría, "
    "quisiera, quiero, me, gracias, que, se, tamaño, cantidad",
    range_joiner="-",
    sentence="{verb}: {parts}.",
    change="{verb} el grado: {parts}.",
    order=("finding", "level", "side", "zone", "transition"),
    strength="de grado {}",
    zone="en la zona {}",
    transition="de {before} a {after}",
    transition_to="a {after}",
)
