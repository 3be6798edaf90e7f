"""German."""

from .table import Language, inflected

_ENDINGS = "e er es en em"

GERMAN = Language(
    code="de",
    name="German",
    spaced=True,
    verbs={
        "add": "hinzufügen, füge, fügen sie, ergänzen, ergänze, ergänzen sie, einfügen, hinzugefügt, ergänz, "
        "setze, setzen, setz, erzeuge, erzeugen, einzeichnen, zeichne, simuliere, simulieren, einbauen, dazu, "
        "hinzufüge, einsetzen, füg, platziere, platzieren, einfüge",
        "remove": "entfernen, entferne, entfernen sie, löschen, lösche, löschen sie, beseitigen, beseitige, "
        "entfernt, entfern, weg, wegmachen, wegnehmen, streiche, streichen, tilgen, eliminiere, eliminieren, "
        "lösch, gelöscht, herausnehmen, ausblenden",
        "change": "ändern, ändere, ändern sie, verändern, verändere, setze herauf, umwandeln, wandle, geändert, "
        "anpassen",
        "increase": "verstärken, verstärke, verstärken sie, erhöhen, erhöhe, vergrößern, vergrößere, "
        "verschlimmern, verschlimmere, verschlechtern, verschlechtere, verschlimmert, zunehmen lassen, "
        "steigern, steigere, erhöh",
        "decrease": "verringern, verringere, verringern sie, verkleinern, verkleinere, reduzieren, reduziere, "
        "mindern, abschwächen, verringer, reduzier, abnehmen lassen, verbessern, verbessere, lindern, lindere",
    },
    findings={
        "pleural effusion": "Pleuraerguss, Pleuraergüsse, Pleuraergusses, Pleuraergüssen, Erguss, Ergüsse, "
        "Ergusses, Flüssigkeit im Pleuraraum, Pleuraflüssigkeit",
        "consolidation": "Konsolidierung, Konsolidierungen, Konsolidation, Konsolidationen",
        "lung opacity": "Verschattung, Infiltrat, Infiltrate, Infiltrats, Verschattungen, Lungenverschattung, "
        "Lungenverschattungen, Opazität, Opazitäten, Transparenzminderung, Eintrübung, Milchglastrübung, "
        "Milchglastrübungen, Milchglasverschattung, Milchglas, Trübung, Trübungen",
        "pneumonia": "Pneumonie, Pneumonien, Lungenentzündung, Bronchopneumonie",
        "infection": "Infektion, Infekt, Lungeninfektion",
        "atelectasis": "Atelektase, Atelektasen, Dystelektase, Dystelektasen",
        "edema": "Lungenödem, Lungenödems, Lungenödeme, Ödem, Ödems",
        "cardiomegaly": "Kardiomegalie, Herzvergrößerung, vergrößertes Herz, vergrößerte Herz",
        "enlargement of the cardiac silhouette": "Vergrößerung der Herzsilhouette, "
        "Verbreiterung der Herzsilhouette, vergrößerte Herzsilhouette, verbreiterte Herzsilhouette, "
        "Vergrößerung des Herzschattens",
        "pneumothorax": "Pneumothorax, Pneumothoraces, Pneu",
        "hernia": "Hernie, Hiatushernie, Zwerchfellhernie",
        "vascular congestion": "Gefäßstauung, Lungenstauung, pulmonalvenöse Stauung, Stauung, "
        "pulmonale Stauung, pulmonalvenöse Stauungszeichen, Stauungszeichen",
        "hilar congestion": "Hilusstauung, hiläre Stauung",
        "heart failure": "Herzinsuffizienz, Herzversagen",
        "tortuosity of the descending aorta": "Elongation der Aorta descendens, "
        "Tortuosität der Aorta descendens, geschlängelte Aorta descendens",
        "tortuosity of the thoracic aorta": "Elongation der Aorta thoracica, Elongation der thorakalen Aorta, "
        "Tortuosität der thorakalen Aorta, Aortenelongation",
        "scoliosis": "Skoliose",
        "gastric distention": "Magendistension, Magenüberblähung, Magendilatation",
        "hypoxemia": "Hypoxämie, Hypoxie",
        "hypertensive heart disease": "hypertensive Herzkrankheit, hypertensive Herzerkrankung",
        "hematoma": "Hämatom, Hämatome",
        "contusion": "Kontusion, Lungenkontusion",
        "emphysema": "Emphysem, Lungenemphysem, Überblähung",
        "granuloma": "Granulom, Granulome",
        "calcification": "Verkalkung, Verkalkungen, Kalzifikation",
        "pleural thickening": "Pleuraverdickung, Pleuraverdickungen, Pleuraplaque, Pleuraschwiele",
        "thymoma": "Thymom",
        "blunting of the costophrenic angle": "Abstumpfung des kostophrenischen Winkels, "
        "Verschattung des kostophrenischen Winkels, Verschattung des Randwinkels, Randwinkelverschattung, "
        "abgestumpfter kostophrenischer Winkel",
        "fracture": "Fraktur, Frakturen, Rippenfraktur, Rippenfrakturen, Rippenbruch",
        "pneumomediastinum": "Pneumomediastinum",
        "air collection": "Luftansammlung, Luftansammlungen",
        "lung lesion": "Lungenläsion, Lungenläsionen, Läsion, Rundherd, Rundherde, Lungenrundherd, Lungenherd, "
        "Lungenknoten, Raumforderung, Lungenrundherde, Knoten, Lungenmetastase, Raumforderungen",
    },
    sides={
        "left": "links, linksseitig, linksseitige, linksseitiger, linksseitigen, linksseitiges, linke, linker, "
        "linken, linkes, linkem, auf der linken Seite, in der linken Lunge, li, in linker",
        "right": "rechts, rechtsseitig, rechtsseitige, rechtsseitiger, rechtsseitigen, rechtsseitiges, rechte, "
        "rechter, rechten, rechtes, rechtem, auf der rechten Seite, in der rechten Lunge, re, in rechter",
        "bilateral": "beidseits, beidseitig, beidseitige, beidseitiger, beidseitigen, beidseitiges, bilateral, "
        "bilaterale, bilateraler, bilateralen, bilaterales, auf beiden Seiten, in beiden, beide, "
        "links und rechts, rechts und links, bds, bei beiden, auf beiden",
    },
    levels={
        "minimal": inflected("minimal", _ENDINGS),
        "subtle": inflected("subtil, diskret", _ENDINGS),
        "minor": inflected("geringfügig", _ENDINGS),
        "small": inflected("klein", _ENDINGS) + ", gering, geringe, geringer, geringes, geringen, geringem",
        "mild": inflected("leicht, mild, geringgradig", _ENDINGS),
        "moderate": inflected("mäßig, moderat, mittelgradig, mittelschwer", _ENDINGS)
        + ", mittelgroß, mittelgroße, mittelgroßer, mittelgroßes, mittelgroßen, mittelgroßem",
        "large": inflected("groß", _ENDINGS),
        "severe": inflected("schwer, hochgradig, ausgeprägt", _ENDINGS)
        + (
            ", erheblich, erhebliche, erheblicher, erhebliches, erheblichen, erheblichem, ausgedehnt"
            ", ausgedehnte, ausgedehnter, ausgedehntes, ausgedehnten, ausgedehntem"
        ),
        "massive": inflected("massiv", _ENDINGS),
        "acute": inflected("akut", _ENDINGS),
        "increasing": inflected("zunehmend", _ENDINGS),
        "decreasing": inflected("abnehmend", _ENDINGS),
    },
    zones={
        "upper": "im Oberfeld, Oberfeld, Oberfeldern, Oberlappen, " + inflected("ober", "e er es en em"),
        "middle": "im Mittelfeld, Mittelfeld, Mittelfeldern, Mittellappen, " + inflected("mittler", "e er es en em"),
        "lower": "im Unterfeld, Unterfeld, Unterfeldern, Unterlappen, " + inflected("unter", "e er es en em"),
        "apical": inflected("apikal", _ENDINGS) + ", Lungenspitze, Lungenspitzen, Spitze, Apex",
        "basal": inflected("basal", _ENDINGS) + ", Lungenbasis, Basis, Lungenbasen",
        "perihilar": inflected("perihilär", _ENDINGS),
        "hilar": inflected("hilär", _ENDINGS) + ", Hilus, Lungenhilus, Hili",
        "retrocardiac": inflected("retrokardial", _ENDINGS) + ", Retrokardialraum",
        "costophrenic": "im kostophrenischen Winkel, kostophrenischer Winkel, kostophrenischen Winkel, "
        "Randwinkel, Randwinkeln, " + inflected("kostophrenisch", _ENDINGS),
    },
    conjunctions="und, sowie",
    arrows="zu, auf",
    fillers="der, die, das, den, dem, des, ein, eine, einen, einem, einer, eines, im, in, am, an, von, bitte, "
    "hinzu, Befund, Befunde, Befundes, Grad, Schweregrad, Ausprägung, Seite, Lunge, Lungen, Lungenfeld, "
    "Lungenfeldern, Zone, Zonen, Lappen, Feld, Feldern, mir, mal, soll, sollen, werden, wird, danke, "
    "kannst du, können Sie, könnten Sie, könntest du, ich möchte, auf der, an der",
    range_joiner="-",
    sentence="{verb}: {parts}.",
    change="Grad {verb}: {parts}.",
    order=("finding", "level", "side", "zone", "transition"),
    strength="Grad {}",
    transition="von {before} auf {after}",
    transition_to="auf {after}",
    digraphs={"ae": "a", "oe": "o", "ue": "u"},
)
