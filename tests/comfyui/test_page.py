"""Actions of a user in the page besides running a workflow."""

from pathlib import Path

import numpy as np
import pytest
from comfy_page import NODES
from looking import with_probes
from PIL import Image

FOLDER = Path(__file__).resolve().parents[2] / "example_workflows"
SLOW_STEPS = 400


def number_of(page, kind):
    """Return the id of the only node of a type."""
    [node] = [node for node in page.nodes() if node["type"] == kind]
    return node["id"]


@pytest.fixture
def plain(visit):
    page = visit()
    page.drop(FOLDER / "1-plain-edit.json")
    return page


def test_cancel_in_mid_run_and_run_again(plain):
    edit = number_of(plain, "X2XEdit")
    plain.set_widget(edit, "preset", "custom")
    plain.set_widget(edit, "steps", SLOW_STEPS)
    plain.run()
    plain.page.wait_for_function(
        "window.x2xTests.events.some(([name, told]) => name === 'progress' && told.value >= 4)", timeout=300_000
    )
    plain.cancel()
    end = plain.wait("execution_interrupted", "execution_success", "execution_error", patience=60)
    assert end["event"] == "execution_interrupted"
    assert str(end["node_id"]) == str(edit)
    reached = max(told["value"] for name, told in plain.events() if name == "progress")
    assert 4 <= reached < SLOW_STEPS / 2
    assert plain.page.evaluate("window.x2xTests.previews") > 0
    plain.set_widget(edit, "preset", "fast")
    assert plain.run_to_the_end()["event"] == "execution_success"


def test_slider_parts_before_and_after(plain, shots):
    plain.run_to_the_end()
    slider = plain.page.get_by_role("slider", name="Before and after")
    box = slider.bounding_box()
    at = int(slider.get_attribute("aria-valuenow"))
    assert 10 < at < 48  # on the effusion, which is on the left of the picture
    middle = box["y"] + box["height"] / 2

    def drag_to(share):
        now = int(slider.get_attribute("aria-valuenow")) / 100
        plain.page.mouse.move(box["x"] + box["width"] * now, middle)
        plain.page.mouse.down()
        plain.page.mouse.move(box["x"] + box["width"] * share, middle, steps=6)
        plain.page.mouse.up()
        plain.page.wait_for_timeout(300)
        assert abs(int(slider.get_attribute("aria-valuenow")) - 100 * share) <= 2
        shot = plain.page.screenshot(clip=box)
        file = shots / f"slider-{round(100 * share)}.png"
        file.write_bytes(shot)
        return np.asarray(Image.open(file).convert("L")).astype(int)

    place = plain.place(number_of(plain, "X2XCompare"))
    after, before, half = drag_to(0.02), drag_to(0.98), drag_to(0.5)
    inner = slice(int(box["width"] * 0.1), int(box["width"] * 0.9))
    assert np.abs(after - before)[:, inner].max() > 15  # the effusion comes and goes
    left, right = slice(inner.start, int(box["width"] * 0.48)), slice(int(box["width"] * 0.52), inner.stop)
    assert np.abs(half - before)[:, left].max() < 8  # left of the line is before
    assert np.abs(half - after)[:, right].max() < 8  # right of it is after
    assert plain.place(number_of(plain, "X2XCompare")) == place  # the node stayed where it was


def test_turning_the_threshold_runs_only_what_hangs_on_it(visit, server):
    page = visit()
    page.drop(FOLDER / "2-look-before-you-edit.json")
    for node in page.nodes():
        if node["type"] in ("X2XEdit", "X2XCompare"):  # looking alone: bypassed, as with Ctrl+B
            page.page.evaluate(f"id => {{ {NODES}.find(one => one.id === id).mode = 4 }}", node["id"])
    shares = []
    for threshold in (0.3, 0.8):
        page.set_widget(number_of(page, "X2XGuidanceMap"), "threshold", threshold)
        assert page.run_to_the_end()["event"] == "execution_success"
        [mask] = [told for name, told in page.events() if name == "executed" and told["node"] == mask_id(page)]
        shares.append((server.pixels(mask["output"]["images"][0])[..., 0] >= 128).mean())
    assert 0 < shares[1] < shares[0]
    cached = page.page.evaluate("window.x2xTests.cached")
    assert str(number_of(page, "X2XRelevanceMap")) in cached


def mask_id(page):
    return str(number_of(page, "MaskPreview"))


def test_what_is_painted_joins_the_mask(visit, server, tmp_path):
    width = height = 512
    alpha = np.full((height, width), 255, np.uint8)
    alpha[100:160, 320:400] = 0  # the mask editor makes painted places transparent
    sample = np.asarray(Image.open(server.folder / "input" / "instructx2x-sample.png").convert("RGB"))
    Image.fromarray(np.dstack([sample, alpha])).save(server.folder / "input" / "painted.png")
    page = visit()
    page.drop(FOLDER / "3-paint-your-own-mask.json")
    graph = page.graph()
    [load] = [number for number, node in graph.items() if node["class_type"] == "X2XLoadRadiograph"]
    [edit] = [number for number, node in graph.items() if node["class_type"] == "X2XEdit"]
    graph[load]["inputs"]["image"] = "painted.png"
    wanted = {number: graph[number] for number in _behind(graph, graph[edit]["inputs"]["guidance_mask"][0])}
    wanted["look"] = {"class_type": "MaskPreview", "inputs": {"mask": graph[edit]["inputs"]["guidance_mask"]}}
    status, answer = server.queue(wanted)
    assert status == 200, answer
    mask = server.pixels(server.wait(answer["prompt_id"])["outputs"]["look"]["images"][0])[..., 0] >= 128
    assert mask[100:160, 320:400].all()
    assert mask[:80].sum() == 0


def _behind(graph, number):
    """Return a node and all nodes it depends on."""
    found, open_ones = set(), [number]
    while open_ones:
        one = open_ones.pop()
        if one not in found:
            found.add(one)
            open_ones += [value[0] for value in graph[one]["inputs"].values() if isinstance(value, list)]
    return found


def open_mask_editor(page):
    """Open the mask editor on the radiograph, and return the bounds of its canvas."""
    load = number_of(page, "X2XLoadRadiograph")
    page.page.wait_for_function(f"id => {NODES}.find(one => one.id === id).imgs?.[0]?.complete", arg=load)
    page.page.evaluate(f"id => app.canvas.selectNode({NODES}.find(one => one.id === id))", load)
    page.page.evaluate("() => app.extensionManager.command.execute('Comfy.MaskEditor.OpenMaskEditor')")
    canvas = page.page.locator("#maskCanvas, [class*=mask-editor] canvas.z-30, [class*=maskEditor] canvas.z-30").first
    canvas.wait_for()
    page.page.wait_for_timeout(3000)  # it brings the picture to its place
    return canvas.bounding_box()


def test_a_stroke_of_the_mask_editor_is_edited(visit, server, shots):
    page = visit()
    page.drop(FOLDER / "3-paint-your-own-mask.json")
    box = open_mask_editor(page)
    start, end = (0.66, 0.30), (0.76, 0.40)  # in the patient's left lung; the instruction is about the right one
    across, down = ([box[side] + box[length] * one[axis] for one in (start, end)]
                    for axis, (side, length) in enumerate((("x", "width"), ("y", "height"))))  # fmt: skip
    page.page.mouse.move(across[0], down[0])
    page.page.mouse.down()
    page.page.mouse.move(across[1], down[1], steps=12)
    page.page.mouse.up()
    page.page.wait_for_timeout(500)
    page.save_screen(shots / "mask-editor.png")
    page.page.get_by_role("button", name="Save", exact=True).last.click()
    load = number_of(page, "X2XLoadRadiograph")
    page.page.wait_for_function(
        f"id => {NODES}.find(one => one.id === id).widgets.find(one => one.name === "
        "'image').value.includes('clipspace')",
        arg=load,
    )
    assert page.run_to_the_end()["event"] == "execution_success"
    page.save_screen(shots / "mask-editor-edited.png")
    graph, [ids] = with_probes(page.graph())
    outputs = server.wait(server.queue(graph)[1]["prompt_id"])["outputs"]
    before, after, mask = (server.pixels(outputs[one]["images"][0]).astype(int) for one in ids)
    editable, changed = mask[..., 0] >= 128, (before != after).any(axis=-1)
    assert not changed[~editable].any()
    middle = round(0.71 * 512), round(0.35 * 512)
    assert editable[middle[1], middle[0]]
    painted = np.argwhere(editable[:, 256:]) + np.array([0, 256])  # what is painted alone lies on the patient's left
    assert painted.min(axis=0)[0] > 512 * 0.18 and painted.max(axis=0)[0] < 512 * 0.52
    assert painted.min(axis=0)[1] > 512 * 0.54 and painted.max(axis=0)[1] < 512 * 0.88
    # the model adds one consolidation, and has room for it elsewhere; where the stroke is the mask, it lies there
    stroke = next(link for node in graph.values() if node["class_type"] == "MaskComposite"
                  for link in node["inputs"].values() if isinstance(link, list) and link[0] == str(load))  # fmt: skip
    graph[str(number_of(page, "X2XEdit"))]["inputs"]["guidance_mask"] = stroke
    outputs = server.wait(server.queue(graph)[1]["prompt_id"])["outputs"]
    before, after = (server.pixels(outputs[one]["images"][0]).astype(int) for one in ids[:2])
    changed = (before != after).any(axis=-1)
    assert not changed[~editable].any() and changed[:, 256:].sum() > 0.5 * len(painted)


def test_upload_by_the_button_and_by_dropping(plain, server, tmp_path):
    load = number_of(plain, "X2XLoadRadiograph")
    names = []
    for number, way in enumerate(("button", "drop")):
        file = tmp_path / f"uploaded-{way}.png"
        Image.fromarray(np.full((40 + number, 60), 90 + number, np.uint8)).save(file)
        if way == "button":
            with plain.page.expect_file_chooser() as chooser:
                plain.page.evaluate(
                    f"""id => {{ const node = {NODES}.find(one => one.id === id)
                        node.widgets.find(one => one.type === 'button').callback() }}""",
                    load,
                )
            chooser.value.set_files(file)
        else:
            plain.page.evaluate(
                f"""async ([id, bytes, name]) => {{
                    const given = new DataTransfer()
                    given.items.add(new File([Uint8Array.from(bytes)], name, {{ type: 'image/png' }}))
                    const node = {NODES}.find(one => one.id === id)
                    await node.onDragDrop({{ dataTransfer: given, preventDefault() {{}}, stopPropagation() {{}} }})
                }}""",
                [load, list(file.read_bytes()), file.name],
            )
        plain.page.wait_for_function(
            f"""([id, name]) => {NODES}.find(one => one.id === id).widgets
                .some(one => one.name === 'image' && String(one.value).includes(name))""",
            arg=[load, file.stem],
        )
        names.append(plain.graph()[str(load)]["inputs"]["image"])
        assert (server.folder / "input" / names[-1]).is_file()
    assert len(set(names)) == 2
