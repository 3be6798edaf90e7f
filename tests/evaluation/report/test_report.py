"""The report: everything in one file, what it shows of a record, and that it can be rebuilt from its folder."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from PIL import Image

from x2x_core.evaluation.metrics.measure import Measure
from x2x_core.evaluation.report.figures import draw_findings
from x2x_core.evaluation.report.page import page
from x2x_core.evaluation.report.plots import forest, mark_styles
from x2x_core.evaluation.report.view import OURS, PEER, REFERENCE, View, interval_text, span, value_text
from x2x_core.evaluation.report.write import find_record, write_report
from x2x_core.evaluation.results import Case, Metric, ResultRow, Results
from x2x_core.imaging.provenance import read_provenance

ABOUT = {
    "title": "A <small> benchmark",
    "model": "tiny",
    "ours": "ours",
    "references": ["do nothing"],
    "measures": {
        "ssim": {"key": "ssim", "title": "SSIM", "group": "Inside", "better": "higher", "meaning": "likeness",
                 "digits": 2},
        "shift": {"key": "shift", "title": "Shift", "group": "Kept", "better": "lower", "meaning": "moved",
                  "percent": True, "digits": 1},
    },
    "verdict": {
        "sentences": ["Ours keeps more: yes, by all 1 measures."],
        "claims": [{"row": "ours", "other": "peer", "measure": "shift", "answer": "yes",
                    "difference": {"value": -0.1, "low": -0.2, "high": -0.05, "n": 4, "note": ""}}],
    },
    "attributes": {
        "ours": {"yaw": {"r": 0.91, "shift": 0.1, "worst": 0.4}},
        "peer": {"yaw": {"r": None, "shift": 0.8, "worst": 2.0}},
    },
}  # fmt: skip


def metrics(ssim, shift):
    return {
        "ssim": Metric(ssim, ssim - 0.1, ssim + 0.1, 4),
        "shift": Metric(shift, shift, shift, 4),
        "odd_one": Metric(3.0, n=4),
    }


def make_results(**about):
    rows = (
        ResultRow("do nothing", {"ssim": Metric(0.5, 0.4, 0.6, 4), "shift": Metric(None, note="no model")}),
        ResultRow("peer", metrics(0.6, 0.30), {"edema": metrics(0.61, 0.3)}, {"add": metrics(0.6, 0.3)}),
        ResultRow("ours", metrics(0.8, 0.05), {"edema": metrics(0.83, 0.1)}, {"add": metrics(0.8, 0.1)}),
    )
    files = {
        "before": "a.png",
        "target": "a.png",
        "guidance": "a.png",
        "mask": "m.png",
        "after: ours": "a.png",
        "mask: ours": "m.png",
    }
    cases = (Case("1", "Add the finding of edema.", files, {"rank": "best", "ours": {"mse_ratio": 0.25}}),)
    return Results({**ABOUT, **about}, rows, cases)


@pytest.fixture
def folder(tmp_path):
    Image.new("L", (40, 40), 128).save(tmp_path / "a.png")
    mask = Image.new("L", (40, 40))
    mask.paste(255, (10, 10, 30, 30))
    mask.save(tmp_path / "m.png")
    make_results().write_json(tmp_path / "evaluation.json")
    return tmp_path


class Checker(HTMLParser):
    """Sees that every tag is closed, and collects addresses."""

    empty = frozenset({"meta", "img", "br"})

    def __init__(self):
        super().__init__()
        self.open, self.addresses = [], []

    def handle_starttag(self, tag, attrs):
        self.addresses += [value for name, value in attrs if name in ("src", "href")]
        if tag not in self.empty:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def checked(html):
    checker = Checker()
    checker.feed(html)
    assert checker.open == []
    return checker


def test_the_page_is_whole_and_links_to_nothing_outside(folder):
    html = page(View(make_results()), folder)
    addresses = checked(html).addresses
    assert all(one.startswith(("#", "data:image/jpeg;base64,")) for one in addresses)
    assert sum(one.startswith("data:") for one in addresses) == 4
    assert not re.search(r"https?://|@import|url\(", html)
    for anchor in (one for one in addresses if one.startswith("#")):
        assert f'id="{anchor[1:]}"' in html


def test_the_page_says_what_the_record_holds(folder):
    html = page(View(make_results()), folder)
    assert "A &lt;small&gt; benchmark" in html and "<small> benchmark" not in html
    for words in (
        "Ours keeps more: yes", "SSIM", "0.80", "0.70 to 0.90", "edema", "error ratio 0.25", "Not a medical device",
        "Odd one", "0.91", "-20.0 to -5.0",
    ):  # fmt: skip
        assert words in html, words


def test_every_text_of_a_record_is_escaped(folder):
    script = "<script>x</script>"
    about = {
        "title": script, "model": script, "notice": script, "intervals": script, "cases_note": script, "note": script,
        "row_notes": {script: script}, "movement": {script: {script: 0.5}}, "breaking_note": script, "notes": [script],
        "breaking": [{"image": script, "instruction": script, "before": 0.5, "after": 0.4}], "settings": {script: 1},
        "verdict": {"sentences": [script], "claims": []}, "attributes": {script: ABOUT["attributes"]["ours"]},
        "measures": {"ssim": {"title": script, "group": script, "meaning": script, "better": "higher"}},
    }  # fmt: skip
    results = make_results(**about)
    row = replace(results.rows[2], name=script, per_finding={script: results.rows[2].metrics})
    case = replace(results.cases[0], instruction=script)
    html = page(View(replace(results, rows=(row, *results.rows), cases=(case,))), folder)
    checked(html)
    assert script not in html and html.count("&lt;script&gt;") > 20


def test_a_record_without_descriptions_verdict_or_pictures_is_shown_too(tmp_path):
    plain = Results({"title": "Plain"}, (ResultRow("edited", {"ssim_x": Metric(0.5, 0.4, 0.6, 3)}),))
    html = page(View(plain), tmp_path)
    checked(html)
    assert "Ssim x" in html and "Verdict" not in html and "Cases" not in html


def test_the_report_is_rebuilt_from_its_folder_to_the_same_bytes(folder):
    written = write_report(folder)
    assert [path.name for path in written] == [
        "report.html", "evaluation.csv", "forest.png", "forest.svg", "findings.png", "findings.svg",
    ]  # fmt: skip
    before = {path: path.read_bytes() for path in written}
    assert {path: path.read_bytes() for path in write_report(folder)} == before
    assert read_provenance(folder / "figures" / "forest.png")["synthetic"] is True
    assert "<svg" in (folder / "figures" / "forest.svg").read_text()


def test_a_folder_without_a_record_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="no record of an evaluation"):
        write_report(tmp_path)
    Results({}, ()).write_json(tmp_path / "audit.json")
    assert find_record(tmp_path).name == "audit.json"
    with pytest.raises(ValueError, match="at least one row"):
        write_report(tmp_path)


def test_a_case_whose_pictures_are_gone_is_left_out_and_said(folder, caplog):
    (folder / "a.png").unlink()
    html = page(View(make_results()), folder)
    assert "data:image" not in html and "left out of the gallery" in caplog.text


def test_rows_have_roles_and_the_best_is_among_those_of_models():
    view = View(make_results())
    assert [view.role(row.name) for row in view.results.rows] == [REFERENCE, PEER, OURS]
    by_key = {one.key: one for one in view.measures()}
    assert view.best_rows(by_key["ssim"]) == view.best_rows(by_key["shift"]) == {"ours"}
    assert view.best_rows(by_key["odd_one"]) == set()
    assert [row.name for row in view.compared_rows()] == ["peer", "ours"]


def test_rows_that_look_the_same_are_both_best():
    results = make_results()
    twin = replace(results.rows[2], name="twin")
    view = View(replace(results, rows=(*results.rows, twin)))
    assert view.best_rows(view.measures()[0]) == {"ours", "twin"}


def test_numbers_are_shown_in_the_measure_s_unit():
    share = Measure("x", "X", "G", "lower", "", True, 1)
    assert (
        value_text(share, Metric(0.123, 0.1, 0.2, 3)) == "12.3"
        and interval_text(share, Metric(0.123, 0.1, 0.2, 3)) == "10.0 to 20.0"
    )
    assert value_text(share, None) == value_text(share, Metric(None)) == "–" and interval_text(share, Metric(0.1)) == ""


def test_a_plot_covers_all_intervals_and_a_single_value_stands_in_the_middle():
    assert span([Metric(0.5, 0.2, 0.6), None, Metric(0.9)]) == (0.2, 0.9)
    assert span([Metric(None), None]) is None
    assert span([Metric(0.0), Metric(0.0)], share=True) == span([Metric(1.0)], share=True) == (0.0, 1.0)
    assert span([Metric(0.0), Metric(0.4)], share=True) == (0.0, 0.4)
    low, high = span([Metric(2.0)])
    assert (low + high) / 2 == 2


def test_the_dots_of_a_forest_plot_are_at_its_values(tmp_path):
    view = View(make_results())
    panel = forest(view, view.measures()[0])  # from 0.4 to 0.9
    expected = [pytest.approx(2.5 + 95 * (value - 0.4) / 0.5, abs=0.01) for value in (0.5, 0.6, 0.8)]
    assert [line.dots[0].left for line in panel.lines] == expected
    html = page(view, tmp_path).partition("SSIM ↑</h3>")[2].partition("</h3>")[0]
    assert [float(left) for left in re.findall(r'dot \w+" style="left:([\d.]+)%', html)] == expected


def test_rows_compared_by_finding_are_told_apart():
    view = View(make_results())
    styles = mark_styles(view, view.results.rows)
    assert styles["ours"] == OURS and len(set(styles.values())) == 3


def test_the_small_print_stays_within_a_narrow_figure():
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure = draw_findings(View(make_results()))  # of one finding
    FigureCanvasAgg(figure).draw()
    place = figure._supxlabel.get_window_extent()
    assert place.x0 >= 0 and place.x1 <= figure.bbox.width
