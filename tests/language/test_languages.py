"""Other languages: each table is complete, what is written is read back, and nothing is guessed."""

import logging
from itertools import cycle, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from x2x_core import Instruction
from x2x_core.language.clauses import Clause, Operation
from x2x_core.language.languages import LANGUAGES
from x2x_core.language.languages.reading import read_in
from x2x_core.language.languages.writing import write_in
from x2x_core.language.vocabulary import FINDINGS, LEVELS, SIDES, ZONES, level_range

CODES = sorted(LANGUAGES)
RANGES = sorted({level_range(first, second) for first in LEVELS for second in LEVELS} - {None})
SINGLE = [level for level in LEVELS if " to " not in level]
PLACES = list(product([None, *SIDES], [None, *ZONES]))


def clauses_of_the_table():
    """Every finding at every place, every level, and every change of level."""
    levels = cycle([None, *LEVELS])
    for finding, (side, zone) in product(FINDINGS, PLACES):
        for operation in (Operation.ADD, Operation.REMOVE):
            yield Clause(operation, finding, side, zone, next(levels))
    places, findings = cycle(PLACES), cycle(FINDINGS)
    for level in [*SINGLE, *RANGES]:
        for operation in (Operation.ADD, Operation.REMOVE):
            yield Clause(operation, next(findings), *next(places), level)
    for before, after in product([None, *LEVELS], LEVELS):
        if before != after:
            yield Clause(Operation.CHANGE, next(findings), *next(places), after, before)


@pytest.mark.parametrize("code", CODES)
def test_a_table_has_every_finding_side_level_and_zone(code):
    language = LANGUAGES[code]
    assert language.findings.keys() == FINDINGS.keys()
    assert set(language.sides) == set(SIDES) and set(language.zones) == set(ZONES)
    assert set(language.levels) == set(SINGLE)
    assert set(language.verbs) == {"add", "remove", "change", "increase", "decrease"}


@pytest.mark.parametrize("code", CODES)
def test_what_is_written_is_read_back(code):
    language = LANGUAGES[code]
    for clause in clauses_of_the_table():
        assert read_in(write_in([clause], language), language) == (clause,)


@pytest.mark.parametrize("code", CODES)
def test_no_other_language_reads_a_sentence_differently(code):
    for clause in list(clauses_of_the_table())[::17]:
        instruction = Instruction((clause,))
        again = Instruction.parse(instruction.write_in(code))
        assert again.clauses == (clause,), instruction.write_in(code)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_several_clauses_are_read_back(data):
    code = data.draw(st.sampled_from(CODES))
    findings = data.draw(st.lists(st.sampled_from(list(FINDINGS)), min_size=1, max_size=3, unique=True))
    options = [data.draw(st.sampled_from(PLACES)) for _ in findings]
    clauses = tuple(Clause(Operation.ADD, name, *place) for name, place in zip(findings, options, strict=True))
    assert Instruction.parse(Instruction(clauses).write_in(code)).clauses == clauses


SENTENCES = [
    ("es", "Añadir un derrame pleural izquierdo moderado en el lóbulo inferior", "+"),
    ("es", "anade derrame pleural moderado inferior a la izquierda", "+"),
    ("fr", "Ajoutez un épanchement pleural gauche modéré dans le lobe inférieur, s'il vous plaît.", "+"),
    ("de", "Füge links einen mäßigen Pleuraerguss im Unterfeld hinzu", "+"),
    ("de", "Bitte einen maessigen linksseitigen Pleuraerguss im Unterlappen hinzufuegen", "+"),
    ("pt", "Adicione um derrame pleural moderado à esquerda no lobo inferior", "+"),
    ("zh", "请在左下肺添加中度胸腔积液", "+"),
    ("ja", "左下葉に中等度の胸水を追加してください", "+"),
    ("ko", "왼쪽 하엽에 중등도의 흉수를 추가해 주세요", "+"),
    ("es", "Eliminar el derrame pleural izquierdo", "-"),
    ("fr", "Enlever l'épanchement pleural à gauche", "-"),
    ("de", "Entferne den linken Pleuraerguss.", "-"),
    ("pt", "Remova o derrame pleural esquerdo", "-"),
    ("zh", "将左侧胸腔积液去除", "-"),
    ("ja", "左胸水を除去してください", "-"),
    ("ko", "좌측 흉수를 제거하세요", "-"),
    ("es", "Cambiar el derrame pleural izquierdo de leve a grave", "~"),
    ("fr", "Changer l'épanchement pleural gauche de léger à sévère", "~"),
    ("de", "Ändere den Pleuraerguss links von leicht auf schwer", "~"),
    ("pt", "Mude o derrame pleural esquerdo de leve para grave", "~"),
    ("zh", "将左侧胸腔积液从轻度改为重度", "~"),
    ("ja", "左胸水を軽度から重度に変更してください", "~"),
    ("ko", "왼쪽 흉수를 경도에서 중증으로 변경하세요", "~"),
]
MEANINGS = {
    "+": Clause(Operation.ADD, "pleural effusion", "left", "lower", "moderate"),
    "-": Clause(Operation.REMOVE, "pleural effusion", "left"),
    "~": Clause(Operation.CHANGE, "pleural effusion", "left", None, "severe", "mild"),
}


@pytest.mark.parametrize(("code", "text", "meaning"), SENTENCES)
def test_everyday_variants_are_read(code, text, meaning, caplog):
    with caplog.at_level(logging.WARNING):
        instruction = Instruction.parse(text)
    assert instruction.clauses == (MEANINGS[meaning],) and instruction.language == code
    assert not caplog.records


def test_each_finding_of_a_list_may_have_its_own_verb():
    add, remove = Instruction.parse("흉수를 추가하고 기흉을 제거하세요").clauses
    assert (add.operation, add.finding) == (Operation.ADD, "pleural effusion")
    assert (remove.operation, remove.finding) == (Operation.REMOVE, "pneumothorax")


@pytest.mark.parametrize(
    "text",
    [
        "No añadir derrame pleural",
        "ne pas ajouter d'épanchement pleural",
        "não adicionar derrame pleural",
        "keinen Pleuraerguss hinzufügen",
        "不要添加胸腔积液",
        "胸水を追加しないでください",
        "흉수를 추가하지 마세요",
        "Agregar derrame pericárdico",
        "添加心包积液",
        "Ajouter un épanchement à gauche de l'image",
        "Füge links ein Ödem und einen Erguss hinzu",
        "Ajouter un œdème et un épanchement à gauche",
        "Mover el derrame pleural izquierdo a la derecha",
        "左の胸水を右に移動",
        "Pleuraerguss",
        "add a derrame pleural",
        "Remove the edema und füge links einen Erguss hinzu",
        "Ajouter un épanchement gauche droit",
        "血气胸を追加",
    ],
)
def test_what_a_table_does_not_read_wholly_is_refused_with_an_example(text):
    with pytest.raises(ValueError, match=r"`prompt` looks like .* In English: Add the finding of moderate left"):
        Instruction.parse(text)


def test_not_strict_passes_other_words_on_with_a_warning(caplog):
    with caplog.at_level(logging.WARNING):
        assert Instruction.parse("Agregar derrame pericárdico", strict=False).region == "thorax"
    assert "names no known finding" in caplog.text


@pytest.mark.parametrize("text", ["Reduce edema.", "add lung mets", "a fracture", "put a bilateral hernia"])
def test_english_words_are_not_taken_for_other_languages(text):
    assert Instruction.parse(text).language == "en"


def test_an_unknown_language_can_not_be_written():
    with pytest.raises(ValueError, match="`language` must be one of en"):
        Instruction.parse("add edema").write_in("la")


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("mets un pneumothorax à droite stp", "Add the finding of right pneumothorax."),
        ("supprimer les deux épanchements", "Remove the finding of bilateral pleural effusion."),
        ("Füge links einen kleinen Erguss dazu", "Add the finding of small left pleural effusion."),
        ("Erguss rechts von gering auf groß ändern",
         "Change the level of right pleural effusion from small to large."),
        ("coloca uma consolidação no lobo inferior direito",
         "Add the finding of consolidation in the right lower lung zone."),
        ("quite el neumotórax del lado derecho por favor", "Remove the finding of right pneumothorax."),
        ("ponle una consolidación en el lóbulo inferior izquierdo",
         "Add the finding of consolidation in the left lower lung zone."),
        ("左下肺加个实变", "Add the finding of consolidation in the left lower lung zone."),
        ("右の気胸を消して", "Remove the finding of right pneumothorax."),
        ("우하엽에 폐렴을 넣어줘", "Add the finding of pneumonia in the right lower lung zone."),
        ("왼쪽 기흉을 지워줘", "Remove the finding of left pneumothorax."),
    ],
)  # fmt: skip
def test_everyday_verbs_of_other_languages(text, canonical):
    assert str(Instruction.parse(text)) == canonical


@pytest.mark.parametrize(
    "text",
    ["不要添加气胸", "胸水は追加しないで", "기흉은 제거하지 마", "no pongas derrame", "n'ajoute pas d'épanchement",
     "füge keinen Erguss hinzu", "não adicione derrame", "除了气胸都去掉", "흉수는 없애지 말고",
     "ajoute à gauche de l'image un nodule"],
)  # fmt: skip
def test_negations_and_sides_of_the_picture_in_other_languages_are_refused(text):
    with pytest.raises(ValueError, match="looks like"):
        Instruction.parse(text)
