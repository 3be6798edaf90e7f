"""French."""

from .table import Language

FRENCH = Language(
    code="fr",
    name="French",
    spaced=True,
    verbs={
        "add": "ajouter, ajoute, ajoutez, insérer, insère, insérez, mettre, mettez, rajoute, rajouter, "
        "rajoutez, place, placer, placez, mets, crée, créer, créez, simule, simuler, simulez, introduire, "
        "introduis, introduisez, dessine, dessiner, dessinez, génère, générer, générez",
        "remove": "retirer, retire, retirez, enlever, enlève, enlevez, supprimer, supprime, supprimez, effacer, "
        "efface, effacez, éliminer, élimine, éliminez, ôter, ôte, ôtez, fais disparaître, faire disparaître, "
        "faites disparaître, gommer, gomme, gommez",
        "change": "changer, change, changez, modifier, modifie, modifiez, passer, passe, passez, fais passer, "
        "faites passer, faire passer, faites évoluer",
        "increase": "augmenter, augmente, augmentez, aggraver, aggrave, aggravez, empirer, empire, majorer, "
        "majore, majorez, accentuer, accentue, accentuez, agrandir, agrandis, agrandissez",
        "decrease": "diminuer, diminue, diminuez, réduire, réduis, réduisez, atténuer, atténue, atténuez, "
        "améliorer, améliore, améliorez",
    },
    findings={
        "pleural effusion": "épanchement pleural, épanchements pleuraux, épanchement, épanchements, liquide pleural",
        "consolidation": "consolidation, consolidations, condensation, condensations, condensation pulmonaire, "
        "consolidation pulmonaire",
        "lung opacity": "opacité pulmonaire, opacités pulmonaires, opacité, opacités, infiltrat, infiltrats, "
        "infiltrat pulmonaire, verre dépoli, opacité en verre dépoli, opacités en verre dépoli",
        "pneumonia": "pneumonie, pneumonies, bronchopneumonie, pneumopathie",
        "infection": "infection, infection pulmonaire",
        "atelectasis": "atélectasie, atélectasies",
        "edema": "œdème pulmonaire, œdème, œdème aigu du poumon, oedème, oedème pulmonaire, œdème interstitiel, oedeme",
        "cardiomegaly": "cardiomégalie, cœur augmenté de volume, gros cœur",
        "enlargement of the cardiac silhouette": "élargissement de la silhouette cardiaque, "
        "silhouette cardiaque élargie, augmentation de la silhouette cardiaque",
        "pneumothorax": "pneumothorax",
        "hernia": "hernie, hernie hiatale, hernie diaphragmatique",
        "vascular congestion": "congestion vasculaire, congestion vasculaire pulmonaire, congestion pulmonaire",
        "hilar congestion": "congestion hilaire",
        "heart failure": "insuffisance cardiaque, insuffisance cardiaque congestive",
        "tortuosity of the descending aorta": "tortuosité de l'aorte descendante, aorte descendante tortueuse",
        "tortuosity of the thoracic aorta": "tortuosité de l'aorte thoracique, aorte thoracique tortueuse",
        "scoliosis": "scoliose",
        "gastric distention": "distension gastrique",
        "hypoxemia": "hypoxémie, hypoxie",
        "hypertensive heart disease": "cardiopathie hypertensive",
        "hematoma": "hématome, hématomes",
        "contusion": "contusion, contusion pulmonaire",
        "emphysema": "emphysème, emphysème pulmonaire, hyperinflation, distension pulmonaire",
        "granuloma": "granulome, granulomes",
        "calcification": "calcification, calcifications",
        "pleural thickening": "épaississement pleural, plaque pleurale",
        "thymoma": "thymome",
        "blunting of the costophrenic angle": "émoussement de l'angle costophrénique, "
        "comblement de l'angle costophrénique, comblement du cul-de-sac costo-diaphragmatique, "
        "émoussement du cul-de-sac costo-diaphragmatique",
        "fracture": "fracture, fractures, fracture costale, fractures costales, fracture de côte",
        "pneumomediastinum": "pneumomédiastin",
        "air collection": "collection d'air, collection aérique, collection gazeuse",
        "lung lesion": "lésion pulmonaire, lésions pulmonaires, lésion, nodule pulmonaire, nodule, "
        "masse pulmonaire, masse, nodules, nodules pulmonaires, masses",
    },
    sides={
        "left": "à gauche, gauche, gauches, du côté gauche, sur le côté gauche",
        "right": "à droite, droit, droite, droits, droites, du côté droit, sur le côté droit",
        "bilateral": "des deux côtés, bilatéral, bilatérale, bilatéraux, bilatérales, les deux, aux deux, "
        "dans les deux, gauche et droit, gauche et droite, droit et gauche, à gauche et à droite, "
        "dans les deux poumons",
    },
    levels={
        "minimal": "minime, minimes, minimal, minimale",
        "subtle": "subtil, subtile, discret, discrète, discrets, discrètes",
        "minor": "mineur, mineure, mineurs, mineures",
        "small": "petit, petite, petits, petites, faible, faibles, de petite taille, de faible abondance, "
        "de petite abondance",
        "mild": "léger, légère, légers, légères",
        "moderate": "modéré, modérée, modérés, modérées, de moyenne abondance, d abondance modérée, "
        "d abondance moyenne",
        "large": "important, importante, importants, importantes, grand, grande, abondant, abondante, "
        "de grande abondance, grands, grandes, volumineux, volumineuse, abondants, abondantes",
        "severe": "sévère, sévères, grave, graves",
        "massive": "massif, massive, massifs, massives",
        "acute": "aigu, aiguë, aigus, aiguës",
        "increasing": "en augmentation, croissant, croissante",
        "decreasing": "en diminution, décroissant, décroissante",
    },
    zones={
        "upper": "supérieure, supérieur, supérieures, supérieurs",
        "middle": "moyenne, moyen, moyennes, moyens",
        "lower": "inférieure, inférieur, inférieures, inférieurs",
        "apical": "apicale, apical, apicaux, apicales, apex, sommet, sommets",
        "basal": "basale, basal, basales, basaux, base, bases",
        "perihilar": "périhilaire, péri-hilaire, périhilaires, péri-hilaires",
        "hilar": "hilaire, hilaires, hile, hiles",
        "retrocardiac": "rétrocardiaque, rétro-cardiaque",
        "costophrenic": "costophrénique, angle costophrénique, costo-diaphragmatique, cul-de-sac costo-diaphragmatique",
    },
    conjunctions="et",
    arrows="à, au, jusqu'à",
    fillers="le, la, les, l, un, une, des, de, du, d, en, au, aux, dans, avec, sur, s'il vous plaît, "
    "s'il te plaît, signe, signes, degré, niveau, gravité, zone, zones, champ, champs, lobe, lobes, "
    "poumon, poumons, pulmonaire, pulmonaires, tiers, côté, svp, stp, veuillez, pouvez-vous, peux-tu, "
    "pourriez-vous, merci, je voudrais, j aimerais, niveau de",
    range_joiner="-",
    sentence="{verb} : {parts}.",
    change="{verb} le degré : {parts}.",
    order=("finding", "level", "side", "zone", "transition"),
    strength="de degré {}",
    zone="dans la zone {}",
    transition="de {before} à {after}",
    transition_to="à {after}",
)
