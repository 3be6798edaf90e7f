"""ComfyUI's page in a real browser, driven like by a user."""

from __future__ import annotations

import base64
import io
import json
import re
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page, TimeoutError

READY = """() => window.app?.extensionManager && window.app.graph && window.LiteGraph
    && Object.keys(window.LiteGraph.registered_node_types).length > 50"""
# Records the events of the server's websocket, and the server's reply to each queued prompt.
LISTEN = """() => {
    const api = window.comfyAPI?.api?.api ?? window.app.api
    window.x2xTests = { events: [], prompts: [], previews: 0 }
    for (const name of ['execution_start', 'execution_success', 'execution_error', 'execution_interrupted',
                        'executed', 'progress', 'execution_cached'])
        api.addEventListener(name, event => {
            window.x2xTests.events.push([name, event.detail])
            if (name === 'execution_cached') window.x2xTests.cached = event.detail.nodes
        })
    for (const name of ['b_preview', 'b_preview_with_metadata'])
        api.addEventListener(name, () => { window.x2xTests.previews += 1 })
    const queue = api.queuePrompt.bind(api)
    api.queuePrompt = async (...given) => {
        try { const answer = await queue(...given); window.x2xTests.prompts.push(answer); return answer }
        catch (error) { window.x2xTests.prompts.push({ error: error?.response ?? String(error) }); throw error }
    }
}"""
NODES = "(window.app.graph.nodes ?? window.app.graph._nodes)"
ENDS = ("execution_success", "execution_error", "execution_interrupted")
APPS = (1, 41)  # version of the page that opens workflows as apps
SHOWS_APP = """(() => {
    const workflow = window.app.extensionManager.workflow?.activeWorkflow
    return (workflow?.activeMode ?? workflow?.initialMode) === 'app'
})()"""
PACK = "InstructX2X"  # the folder in `custom_nodes`, and so part of its scripts' addresses
PATIENCE = 180_000  # timeout of one action of the page in milliseconds, for a busy machine
# Errors of the page that the pack does not cause: files that a new user does not have yet.
HARMLESS = re.compile(r"user\.css|userdata|Failed to load resource|ERR_FAILED|ERR_BLOCKED")


class ComfyPage:
    """A visit to the page of a server.

    Attributes:
        errors: of the page's console and scripts.
    """

    def __init__(self, browser: Browser, url: str, size: tuple[int, int] = (1800, 1000)):
        self.url, self.errors = url, []
        self.context = browser.new_context(viewport={"width": size[0], "height": size[1]})
        self.context.route(lambda place: not place.startswith((url, "data:", "blob:")), lambda route: route.abort())
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.page.on("console", self._note_console)
        self.page.on("pageerror", lambda error: self.errors.append(f"{error} {error.stack}"))
        self.page.goto(url, wait_until="domcontentloaded")
        self.page.wait_for_function(READY)
        self.page.wait_for_function("document.fonts.ready")
        self.page.wait_for_timeout(1500)
        # Ignore errors of the page of ComfyUI 0.3.64 on opening, which occur without any pack.
        self.errors = [error for error in self.errors if PACK in error]
        self.page.evaluate(LISTEN)

    def _note_console(self, message) -> None:
        if message.type == "error" and not HARMLESS.search(message.text):
            self.errors.append(message.text)

    def close(self) -> None:
        self.context.close()

    # ---- opening a workflow

    @property
    def version(self) -> tuple[int, ...]:
        """Return the version of the page."""
        return tuple(int(part) for part in self.page.evaluate("window.__COMFYUI_FRONTEND_VERSION__").split("."))

    def shows_graph(self) -> bool:
        """Return True if the page shows the canvas, and not an app."""
        return self.page.locator("#graph-canvas").is_visible()

    def show_graph(self) -> None:
        """Leave the app that the page opened a workflow as, for its graph."""
        if self.page.evaluate(SHOWS_APP):
            self.page.evaluate("() => app.extensionManager.command.execute('Comfy.ToggleLinear')")
            self.page.wait_for_function(f"!{SHOWS_APP}")
            self.page.wait_for_timeout(1000)

    def drop(self, file: Path, app: bool = False) -> None:
        """Open a workflow file as if it was dropped on the canvas, and show its graph, unless `app`."""
        text = base64.b64encode(file.read_bytes()).decode()
        self.page.evaluate(
            """async ([text, name]) => {
                const bytes = Uint8Array.from(atob(text), letter => letter.charCodeAt(0))
                await window.app.handleFile(new File([bytes], name, { type: 'application/json' }))
            }""",
            [text, file.name],
        )
        self.page.wait_for_timeout(1000)
        if app:
            self.skip_tour()
        else:
            self.show_graph()

    def skip_tour(self) -> None:
        """Decline the tour of apps that later pages offer on the first visit."""
        welcome = self.page.get_by_test_id("coach-landing")
        try:
            welcome.wait_for(timeout=3000)
        except TimeoutError:
            return
        welcome.get_by_role("button", name="Skip", exact=True).click()
        welcome.wait_for(state="hidden")

    def open_template_list(self, pack: str = PACK) -> None:
        """Click Templates in the sidebar, then the pack's name under Extensions."""
        self.page.locator('[aria-label="Templates"]').first.click()
        dialog = self.page.locator("[role=dialog]:visible")
        dialog.get_by_text(pack, exact=True).click()
        self.page.locator('[data-testid^="template-workflow-"]').first.wait_for()

    def open_template(self, name: str) -> None:
        """Open a workflow by clicking it in the list of templates."""
        self.open_template_list()
        self.page.get_by_test_id(f"template-workflow-{name}").click()
        self.page.locator("[role=dialog]").wait_for(state="hidden")
        self.page.wait_for_timeout(1000)
        self.show_graph()

    # ---- looking

    def nodes(self) -> list[dict]:
        """Return all nodes on the canvas with id, type, position, size, minimum size, and widgets by name."""
        return self.page.evaluate(f"""() => {NODES}.map(node => ({{
            id: node.id, type: node.type, title: node.title, pos: [...node.pos], size: [...node.size],
            needs: [...node.computeSize()], known: node.type in window.LiteGraph.registered_node_types,
            widgets: Object.fromEntries((node.widgets ?? []).map(one => [one.name, one.value])),
            inputs: (node.inputs ?? []).map(one => [one.name, one.type, one.link]),
        }}))""")

    def graph(self) -> dict:
        """Return the graph in API format, as the page queues it."""
        return self.page.evaluate("async () => (await window.app.graphToPrompt()).output")

    def set_widget(self, node: int, name: str, value) -> None:
        """Set the value of a node's widget."""
        self.page.evaluate(
            f"""([id, name, value]) => {{
                const widget = {NODES}.find(node => node.id === id).widgets.find(one => one.name === name)
                widget.value = value; widget.callback?.(value)
            }}""",
            [node, name, value],
        )

    def drawn_images(self) -> dict[int, list[list[int]]]:
        """Return the sizes of the pictures drawn on each node, by its id."""
        found = self.page.evaluate(f"""() => {NODES}.filter(node => node.imgs?.length)
            .map(node => [node.id, node.imgs.map(one => [one.naturalWidth, one.naturalHeight])])""")
        return dict(found)

    def fit(self) -> None:
        """Fit the whole workflow into the view."""
        self.page.keyboard.press("Escape")
        self.page.evaluate("""async () => {
            window.app.canvas.deselectAll?.()
            await window.app.extensionManager.command.execute('Comfy.Canvas.FitView')
        }""")
        self.page.wait_for_timeout(900)

    def place(self, node: int) -> dict[str, float]:
        """Return left, top, width and height of a node in pixels of the page, and the scale of the canvas."""
        return self.page.evaluate(
            f"""id => {{
                const node = {NODES}.find(one => String(one.id) === String(id)), view = window.app.canvas.ds
                const frame = window.app.canvas.canvas.getBoundingClientRect()
                return {{
                    left: frame.left + (node.pos[0] + view.offset[0]) * view.scale,
                    top: frame.top + (node.pos[1] + view.offset[1]) * view.scale,
                    width: node.size[0] * view.scale, height: node.size[1] * view.scale, scale: view.scale,
                }}
            }}""",
            node,
        )

    def screen(self) -> np.ndarray:
        """Return a screenshot, `(H, W, 3)` uint8."""
        return np.asarray(Image.open(io.BytesIO(self.page.screenshot())).convert("RGB"))

    def save_screen(self, file: Path) -> None:
        """Write a screenshot as PNG or JPEG, depending on the suffix."""
        file.parent.mkdir(parents=True, exist_ok=True)
        kind = {"quality": 82, "type": "jpeg"} if file.suffix in (".jpg", ".jpeg") else {}
        self.page.screenshot(path=file, **kind)

    # ---- running

    def run(self) -> None:
        """Press Run."""
        self.page.evaluate("() => Object.assign(window.x2xTests, { events: [], prompts: [], previews: 0, cached: [] })")
        self.page.get_by_role("button", name="Run", exact=True).first.click()
        self.page.wait_for_function("window.x2xTests.prompts.length > 0")

    def wait(self, *events: str, patience: float = 300) -> dict:
        """Wait for the first of these events from the server, and return it."""
        self.page.wait_for_function(
            "names => window.x2xTests.events.some(([name]) => names.includes(name))",
            arg=list(events), timeout=patience * 1000, polling=100,
        )  # fmt: skip
        name, detail = next(event for event in self.events() if event[0] in events)
        return {"event": name, **(detail or {})}

    def events(self) -> list[list]:
        return json.loads(self.page.evaluate("JSON.stringify(window.x2xTests.events)"))

    def prompts(self) -> list[dict]:
        """Return the server's replies to the prompts queued by this page."""
        return self.page.evaluate("window.x2xTests.prompts")

    def run_to_the_end(self, patience: float = 600) -> dict:
        """Press Run, wait until the run ends and its pictures are drawn, and return the last event."""
        self.run()
        end = self.wait(*ENDS, patience=patience)
        if end["event"] == "execution_success":
            self.page.wait_for_function(
                f"""ids => ids.every(id => {{
                    const held = {NODES}.find(node => String(node.id) === id)?.imgs
                    return held?.length && held.every(one => one.complete && one.naturalWidth)
                }})""",
                arg=sorted(self.nodes_with_pictures()),
            )
        self.page.get_by_text(re.compile(r"^\s*[1-9]\d* running")).wait_for(state="hidden")
        self.page.wait_for_timeout(1500)
        return end

    def nodes_with_pictures(self) -> set[str]:
        """Return the ids of nodes on the canvas for which the server sent pictures in this run."""
        told = (detail for name, detail in self.events() if name == "executed")
        drawn = {detail["node"] for detail in told if (detail.get("output") or {}).get("images")}
        return {number for number in drawn if ":" not in number}  # others are inside a subgraph

    def cancel(self) -> None:
        """Press the button that cancels the running prompt."""
        self.page.get_by_role("button", name=re.compile("^(Interrupt|Cancel current run)$")).first.click()
