"""Difference answers to instructions: every sentence form of Medical-Diff-VQA's generator, and nothing guessed."""

import pickle
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vqa_terms import VQA_FINDINGS, VQA_LEVELS

from x2x_core import Instruction
from x2x_core.common.errors import InputError
from x2x_core.dataset import UnreadableAnswer, instruction_from_difference
from x2x_core.language.clauses import Operation
from x2x_core.language.vocabulary import LEVEL_NAMES, level_rank

# The libraries of Medical-Diff-VQA's generator, as it writes their terms.
REPORT_NAMES = {
    "pleural effusion": "pleural effusions, effusion, effusions, pleural fluid",
    "atelectasis": "volume loss, collapse, atelectases, atelectatic changes, atelectatic change",
    "cardiomegaly": "enlarged, heart size is enlarged",
    "edema": "pulmonary edema",
    "hernia": "hiatal hernia, hiatus hernia",
    "vascular congestion": "pulmonary vascular congestion",
    "heart failure": "cardiac decompensation, chf, congestive heart failure",
    "lung opacity": "lung opacification, airspace opacities, airspace opacity, opacification, opacity, opacities, "
    "lung opacities",
    "scoliosis": "thoracolumbar scoliosis",
    "hypertensive heart disease": "htn",
    "contusion": "pulmonary contusion",
    "granuloma": "granulomatous disease",
    "calcification": "calcifications",
    "blunting of the costophrenic angle": "blunting of the costophrenic angles, "
    "blunting of the right costophrenic angle, blunting of the left costophrenic angle, "
    "blunting of the left costodiaphragmatic, "
    "blunting of the right costodiaphragmatic",
    "fracture": "fractures",
}
LOCATIONS = [
    "mid",
    "middle",
    "to",
    "lower",
    "left",
    "right",
    "retrocardiac",
    "pericardial",
    "bibasilar",
    "bilateral",
    "basilar",
    "apicolateral",
    "basal",
    "lobe",
    "lung",
    "area",
    "base",
    "apical",
    "pleural",
    "upper",
    "rib",
]
GENERAL = "what has changed compared to the reference image?"


def listed(names):
    """A list as the generator joins it."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])}, and {names[-1]}"


def added(names):
    noun = "an additional finding" if len(names) == 1 else "additional findings"
    return f"the main image has {noun} of {listed(names)} than the reference image. "


def missing(names):
    noun = "finding" if len(names) == 1 else "findings"
    return f"the main image is missing the {noun} of {listed(names)} than the reference image. "


def changed(name, before, after):
    return f"the level of {name} has changed from {before} to {after}. "


@st.composite
def answers(draw):
    """An answer of the whole grammar, and what is told: operations with their findings, levels of the changes."""
    names = draw(st.permutations(VQA_FINDINGS))
    cuts = [draw(st.integers(0, 3)), draw(st.integers(0, 6)), draw(st.integers(0, 6))]
    levels = [draw(st.permutations(VQA_LEVELS))[:2] for _ in range(cuts[0])]
    changes = [(name, *pair) for name, pair in zip(names, levels)]
    new = names[cuts[0] : cuts[0] + cuts[1]]
    gone = names[sum(cuts[:2]) : sum(cuts)]
    text = "".join(changed(*change) for change in changes)
    return text + (added(new) if new else "") + (missing(gone) if gone else ""), changes, new, gone


@settings(max_examples=400, deadline=None)
@given(answers())
def test_every_answer_of_the_grammar_is_read_and_written_and_read_back(drawn):
    answer, changes, new, gone = drawn
    told = [change for change in changes if LEVEL_NAMES[change[1]] != LEVEL_NAMES[change[2]]]
    instruction = instruction_from_difference(answer or "nothing has changed.", GENERAL)
    if not (told or new or gone):
        assert instruction is None
        return
    assert Instruction.parse(str(instruction)) == instruction
    by = {op: [c.finding for c in instruction.clauses if c.operation is op] for op in Operation}
    assert by == {Operation.ADD: new, Operation.REMOVE: gone, Operation.CHANGE: [name for name, _, _ in told]}
    for clause, (_, before, after) in zip(instruction.clauses, told):
        spoken = f"{clause.level_from} to {clause.level}"
        assert spoken == f"{LEVEL_NAMES[before]} to {LEVEL_NAMES[after]}"


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(VQA_LEVELS), min_size=1, max_size=4, unique=True),
       st.lists(st.sampled_from(VQA_LEVELS), min_size=1, max_size=4, unique=True),
       st.sampled_from(VQA_FINDINGS),
       st.lists(st.sampled_from(LOCATIONS), min_size=1, max_size=5, unique=True))  # fmt: skip
def test_every_list_of_levels_and_every_area_is_read(before, after, finding, area):
    question = f"what has changed in the {' '.join(area)} area?"
    instruction = instruction_from_difference(changed(finding, " ".join(before), " ".join(after)), question)
    if instruction is None:
        return
    assert Instruction.parse(str(instruction)) == instruction
    sides = {"left", "right"} & set(area)
    both = sides or {"bilateral", "bibasilar"} & set(area)
    side = sides.pop() if len(sides) == 1 else ("bilateral" if both else None)
    assert {clause.side for clause in instruction.clauses} == {side}
    for clause in instruction.clauses:
        assert clause.finding == finding and clause.level != clause.level_from


PLACES = {
    "{}": (None, None), "left {}": ("left", None), "right-sided {}": ("right", None), "{} on the left": ("left", None),
    "bilateral {}": ("bilateral", None), "bibasilar {}": ("bilateral", "basal"),
    "right lower lobe {}": ("right", "lower"),
    "{} in the left upper lobe": ("left", "upper"), "{} at the right lung base": ("right", "basal"),
}  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(VQA_FINDINGS), st.sampled_from(("", *VQA_LEVELS)),
                       st.sampled_from(tuple(PLACES))),
             min_size=1, max_size=6, unique_by=lambda item: item[0]),
    st.sampled_from((added, missing)),
)  # fmt: skip
def test_a_list_of_findings_with_levels_and_places_is_read_and_written_and_read_back(items, sentence):
    listed_items = [f"{level} {place.format(finding)}".strip() for finding, level, place in items]
    instruction = instruction_from_difference(sentence(listed_items))
    told = [(clause.finding, clause.level, (clause.side, clause.zone)) for clause in instruction.clauses]
    assert told == [(finding, LEVEL_NAMES.get(level), PLACES[place]) for finding, level, place in items]
    assert Instruction.parse(str(instruction)) == instruction


@settings(max_examples=200, deadline=None)
@given(answers(), st.data())
def test_letter_case_spaces_and_stops_do_not_matter(drawn, data):
    answer = drawn[0] or "nothing has changed. "
    spaced = "".join(data.draw(st.sampled_from([" ", "  ", " \n"])) if c == " " else c for c in answer)
    variants = (answer.upper(), answer.rstrip(" ."), spaced, f"  {answer}\n", answer.replace(". ", "."))
    for variant in variants:
        assert instruction_from_difference(variant) == instruction_from_difference(answer)
    variants = ("\ufeff" + answer, answer.replace(". ", ".. "), answer.replace(" than", " , than"))
    for variant in variants:
        assert instruction_from_difference(variant) == instruction_from_difference(answer)
    plain = answer.replace(", and ", " and ")
    assert instruction_from_difference(plain) == instruction_from_difference(answer)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60) | st.lists(st.sampled_from(
    ["the", "main", "image", "has", "an", "additional", "finding", "of", "is", "missing", "level", "changed", "from",
     "to", "edema", "effusion", "mild", "severe", "left", "and", ",", ".", "nothing", "than", "reference", "not",
     "without", "pacemaker", "increasing", "lung"]
), max_size=16).map(" ".join))  # fmt: skip
def test_any_text_is_read_or_refused_with_its_own_words(text):
    refused = None
    try:
        instruction = instruction_from_difference(text)
    except UnreadableAnswer as error:
        refused = error
    if refused is not None:
        assert repr(text) in str(refused) and refused.text == text and refused.reason
    else:
        assert instruction is None or Instruction.parse(str(instruction)) == instruction


@pytest.mark.parametrize("name", [(name, word) for name, words in REPORT_NAMES.items() for word in words.split(", ")])
def test_the_words_of_reports_for_a_finding_are_read(name):
    finding, word = name
    for sentence in (added([word]), missing([word, "thymoma"]), changed(word, "small", "severe")):
        assert instruction_from_difference(sentence).clauses[0].finding == finding


@pytest.mark.parametrize(
    ("answer", "instruction"),
    [
        # names with a space at their end, as an older library has them
        ("the main image has additional findings of tortuosity of the descending aorta , and edema than the reference "
         "image. ", "Add the findings of tortuosity of the descending aorta and edema."),
        ("the level of tortuosity of the descending aorta  has changed from mild to moderate. ",
         "Change the level of tortuosity of the descending aorta from mild to moderate."),
        # a finding that an older generator counted twice
        ("the main image has additional findings of and pneumonia atelectasis, and pneumonia than the reference "
         "image. ",
         "Add the findings of pneumonia and atelectasis."),
        ("the main image is missing the findings of and pneumonia and pneumonia than the reference image. ",
         "Remove the finding of pneumonia."),
        # sites
        ("the main image has an additional finding of small left pleural effusion than the reference image.",
         "Add the finding of small left pleural effusion."),
        ("the main image is missing the findings of left and right pleural effusions, and consolidation in the right "
         "lower lobe than the reference image.",
         "Remove the findings of bilateral pleural effusion and consolidation in the right lower lung zone."),
        ("the main image has an additional finding of blunting of the right costophrenic angle than the reference "
         "image",
         "Add the finding of right blunting of the costophrenic angle."),
        # sentences that run into each other
        ("the level of edema has changed from mild to severe the main image is missing the finding of hernia",
         "Change the level of edema from mild to severe. Remove the finding of hernia."),
    ],
)  # fmt: skip
def test_sentences_as_they_occur(answer, instruction):
    assert str(instruction_from_difference(answer)) == instruction


@pytest.mark.parametrize(
    ("levels", "instruction"),
    [
        ("small to moderate to large", "from small to moderate to large."),
        ("mild to moderate to severe", "from mild to moderate to severe."),
        ("mild to moderate to moderate to severe", "from mild to moderate to moderate to severe."),
        ("minimally to severe", "from minimal to severe."),
        ("small to minimal mild", "from small to minimal to mild."),
        ("mild moderate to severe", "from mild to moderate to severe."),
        ("moderate to large small to minimal", "from small to large to minimal."),
        ("severe to small mild", "from severe to mild."),
        ("acute mild to severe", "from mild to severe."),
        ("mild to acute", "from mild to acute."),
    ],
)
def test_levels_of_several_words(levels, instruction):
    answer = f"the level of edema has changed from {levels}."
    assert str(instruction_from_difference(answer)) == f"Change the level of edema {instruction}"


@pytest.mark.parametrize(
    ("levels", "instruction"),
    [
        ("small to increasing", "Increase the level of edema from small."),
        ("severe to decreasing", "Decrease the level of edema from severe."),
        ("small to small increasing", "Increase the level of edema from small."),
        ("moderate to minimally increasing", "Increase the level of edema from moderate."),
        ("small to moderate increasing", "Change the level of edema from small to moderate."),
        ("increasing to small", "Change the level of edema from increasing to small."),
        ("increasing to decreasing", "Decrease the level of edema from increasing."),
    ],
)
def test_levels_that_tell_a_course(levels, instruction):
    assert str(instruction_from_difference(f"the level of edema has changed from {levels}.")) == instruction


def test_what_a_level_leaves_unsaid_is_kept_and_does_not_stand_in_the_way_of_reading_back():
    for levels, word in (("mild to acute severe", "acute"), ("small to minimally increasing", "minimally")):
        assert instruction_from_difference(f"the level of edema has changed from {levels}.").unplaced == (word,)
    question = "what has changed in the pericardial area?"
    pericardial = instruction_from_difference(changed("edema", "mild", "severe"), question)
    assert pericardial.unplaced == ("pericardial",)
    again = Instruction.parse(str(pericardial))
    assert again == pericardial and hash(again) == hash(pericardial) and again.unplaced == ()


@pytest.mark.parametrize("levels", ["mild to mildly", "minimally to minimal", "mild moderate to moderate mild"])
def test_another_wording_of_a_level_is_no_change(levels):
    assert instruction_from_difference(f"the level of edema has changed from {levels}.") is None
    both = f"the level of edema has changed from {levels}. " + added(["hernia"])
    assert str(instruction_from_difference(both)) == "Add the finding of hernia."


@pytest.mark.parametrize(
    "answer",
    [
        "nothing has changed.",
        "Nothing has changed",
        " NOTHING  HAS CHANGED . ",
        "nothing has changed. nothing has changed.",
    ],
)
def test_nothing_changed(answer):
    assert instruction_from_difference(answer) is None
    assert instruction_from_difference(answer, "what has changed in the left lung area?") is None


@pytest.mark.parametrize(
    ("area", "place"),
    [
        ("left lung", "left pleural effusion"),
        ("right", "right pleural effusion"),
        ("left right", "bilateral pleural effusion"),
        ("bilateral left", "left pleural effusion"),
        ("base left", "pleural effusion in the left basal lung zone"),
        ("lower base right", "pleural effusion in the right basal lung zone"),
        ("bibasilar", "bilateral pleural effusion in the basal lung zones"),
        ("apicolateral left", "pleural effusion in the left apical lung zone"),
        ("retrocardiac basilar left lower", "pleural effusion in the left retrocardiac lung zone"),
        ("pleural", "pleural effusion"),
        ("to", "pleural effusion"),
    ],
)
def test_the_area_of_the_question_is_the_place(area, place):
    for ending in (" area?", " area", "  AREA ?"):
        question = f"what has changed in the {area}{ending}"
        instruction = instruction_from_difference(changed("pleural effusion", "small", "severe"), question)
        assert str(instruction) == f"Change the level of {place} from small to severe."


def test_an_area_of_two_zones_is_two_clauses():
    for area in ("middle to lower left", "lower left to middle", "left lower mid"):
        question = f"what has changed in the {area} area?"
        instruction = instruction_from_difference(changed("edema", "mild", "severe"), question)
        assert {(clause.side, clause.zone) for clause in instruction.clauses} == {("left", "middle"), ("left", "lower")}


def test_a_finding_with_its_own_place_keeps_it():
    answer = "the level of right pleural effusion has changed from small to severe."
    instruction = instruction_from_difference(answer, "what has changed in the left lower area?")
    assert str(instruction) == "Change the level of right pleural effusion from small to severe."


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("", "it is empty"),
        (" . ", "it is empty"),
        ("yes", "'yes' is not one of its sentences"),
        (added(["the finding"]), "does not say which finding it is about"),
        (added(["pacemaker"]), "'pacemaker' is not a known finding"),
        (added(["edema", "pacemaker"]), "'pacemaker' is not a known finding"),
        (added(["pericardial effusion"]), "'pericardial' is not a known finding"),
        (added(["no edema"]), "'no' is not a known finding"),
        (added(["probable edema"]), "'probable' is not a known finding"),
        (added(["resolved edema"]), "'resolved' is not a known finding"),
        (added(["edema without hernia"]), "'without' is not a known finding"),
        (added(["edema or hernia"]), "'or' is not a known finding"),
        (added(["mild to edema"]), "'to' is not a known finding"),
        (added(["edema, and"]), "the list 'edema, and' ends too early"),
        ("the reference image has an additional finding of edema than the main image.", "is not one of its sentences"),
        ("the main image has an additional finding of edema than the past image.", "'than' is not a known finding"),
        ("the main image has no additional finding of edema than the reference image.", "is not one of its sentences"),
        ("the main image is not missing the finding of edema than the reference image.", "is not one of its sentences"),
        ("the level of edema has not changed from mild to severe.", "is not one of its sentences"),
        (added(["edema"]) + "and a cough.", "is not a known finding"),
        ("and a cough. " + added(["edema"]), "'and a cough' is not one of its sentences"),
        (added(["left"]), "does not say which finding"),
        (added(["edema"]) + missing(["edema"]), "contradict itself"),
        (changed("edema", "mild", "severe") + changed("edema", "mild", "minimal"), "one level in one place"),
        (changed("edema", "mild", "terrible"), "'terrible' is not a known level"),
        (changed("mild edema", "mild", "severe"), "it states a third level beside the two of the change"),
        ("the level of edema has changed from mild", "two levels are needed"),
        ("the level of edema has changed from to", "a level is missing"),
        ("the level of edema has changed", "is not one of its sentences"),
        (added(["edema"]) + "nothing has changed.", "it says both that nothing has changed and that something has"),
        ("the level of edema has changed from none to mild.", "'none' is not a known level"),
        (None, "it is not a string but NoneType"),
        (float("nan"), "it is not a string but float"),
    ],
)  # fmt: skip
def test_an_unreadable_answer_is_refused_with_its_text_and_the_reason(answer, reason):
    with pytest.raises(UnreadableAnswer) as caught:
        instruction_from_difference(answer)
    assert isinstance(caught.value, InputError) and isinstance(caught.value, ValueError)
    again = pickle.loads(pickle.dumps(caught.value))
    assert type(again) is UnreadableAnswer and str(again) == str(caught.value)
    assert repr(answer) in str(caught.value) and reason in str(caught.value)


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        ("where is the edema?", "does not ask what has changed"),
        ("what has changed in the pancreas area?", "'pancreas' is not a known location"),
        (7, "it is not a string but int"),
    ],
)
def test_an_unreadable_question_is_refused(question, reason):
    with pytest.raises(UnreadableAnswer, match=f"`question` must be .*{reason}"):
        instruction_from_difference(changed("edema", "mild", "severe"), question)


def test_strengths_of_different_places_become_their_range():
    clause = instruction_from_difference(changed("edema", "minimal", "small severe")).clauses[0]
    assert clause.level == "small to severe" and level_rank(clause.level) == 3


def test_the_documentation_of_the_rules_is_true(capsys):
    page = (Path(__file__).parents[2] / "docs" / "difference-answers.md").read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"```python\n(.*?)```", page, re.DOTALL))
    exec(compile(code, "difference-answers.md", "exec"), {})
    printed = capsys.readouterr().out
    for said in re.findall(r"# (Add .*)", code):
        assert said in printed
    sentence = re.compile(r"^\| `(the (?:main|level)[^`]*)` \| `([^`]*)` \|$", re.MULTILINE)
    rows = sentence.findall(page)
    assert len(rows) == 7
    words = {"X": "edema", "Y": "hernia", "Z": "fracture", "A": "mild", "B": "severe"}
    for answer, instruction in rows:
        filled = [re.sub(r"\b[XYZAB]\b", lambda letter: words[letter[0]], text) for text in (answer, instruction)]
        assert str(instruction_from_difference(filled[0])) == filled[1]
    message = " ".join(re.search(r"```text\n(.*?)```", page, re.DOTALL)[1].split())
    with pytest.raises(UnreadableAnswer) as caught:
        instruction_from_difference(re.search("got '(.*?)':", message)[1])
    assert str(caught.value) == message
