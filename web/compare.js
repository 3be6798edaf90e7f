// X2XCompare: the edited image over the original, revealed by a divider that follows the pointer.
import { app } from "../../scripts/app.js";
import { api } from "../../scripts/api.js";
import { after } from "./text.js";

function create(tag, style, parent) {
  const element = document.createElement(tag);
  Object.assign(element.style, style);
  parent?.append(element);
  return element;
}

function label(text, side, parent) {
  const element = create("div", {
    position: "absolute", top: "6px", [side]: "6px", padding: "1px 6px", borderRadius: "4px", color: "#fff",
    background: "rgba(0,0,0,.55)", font: "11px sans-serif", pointerEvents: "none",
  }, parent);
  element.textContent = text;
}

const COVER = { position: "absolute", inset: "0", width: "100%", height: "100%", objectFit: "contain", pointerEvents: "none" };

class Slider {
  constructor() {
    this.element = create("div", { display: "flex", flexDirection: "column", width: "100%", height: "100%", minHeight: "260px", gap: "4px" });
    this.element.className = "x2x-compare";
    this.stage = create("div", {
      position: "relative", flex: "1 1 0", minHeight: "200px", overflow: "hidden", borderRadius: "6px", background: "#000",
      cursor: "ew-resize", touchAction: "none", userSelect: "none",
    }, this.element);
    this.before = create("img", COVER, this.stage);
    this.after = create("img", COVER, this.stage);
    this.line = create("div", {
      position: "absolute", top: "0", bottom: "0", width: "2px", background: "#ffcc00", transform: "translateX(-1px)",
      pointerEvents: "none",
    }, this.stage);
    label("Before", "left", this.stage);
    label("After", "right", this.stage);
    this.row = create("div", { display: "none", justifyContent: "center", gap: "8px", font: "11px sans-serif" }, this.element);
    this.pairs = [];
    this.number = 0;
    this.moved = false; // by the user: it then stays there
    this.before.onload = () => this.placeAtChange();
    new ResizeObserver(() => this.placeAtChange()).observe(this.stage);
    this.follow();
    this.setShare(0.5);
    this.fill();
  }

  follow() {
    const move = (event) => {
      event.preventDefault();
      event.stopPropagation();
      const box = this.stage.getBoundingClientRect();
      this.moved = true;
      if (box.width) this.setShare((event.clientX - box.left) / box.width);
    };
    this.stage.addEventListener("pointerdown", (event) => { this.stage.setPointerCapture(event.pointerId); move(event); });
    this.stage.addEventListener("pointermove", (event) => { if (event.buttons & 1) move(event); });
    this.stage.tabIndex = 0;
    this.stage.setAttribute("role", "slider");
    this.stage.setAttribute("aria-label", "Before and after");
    this.stage.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -0.02, ArrowRight: 0.02 }[event.key];
      if (!step) return;
      event.preventDefault();
      event.stopPropagation();
      this.moved = true;
      this.setShare(this.share + step);
    });
  }

  setShare(share) {
    this.share = Math.min(1, Math.max(0, share));
    const percent = `${100 * this.share}%`;
    this.line.style.left = percent;
    this.after.style.clipPath = `inset(0 0 0 ${percent})`;
    this.stage.setAttribute("aria-valuenow", Math.round(100 * this.share));
  }

  // Puts the divider on the middle of what changed. The picture may be narrower than the stage.
  placeAtChange() {
    const { clientWidth: width, clientHeight: height } = this.stage;
    const at = this.pairs[this.number]?.at ?? 0.5;
    if (this.moved || !width || !this.before.naturalHeight) return;
    const shown = Math.min(width, (height * this.before.naturalWidth) / this.before.naturalHeight);
    this.setShare(0.5 + ((at - 0.5) * shown) / width);
  }

  show(pairs) {
    this.pairs = pairs;
    this.number = 0;
    this.fill();
  }

  fill() {
    const pair = this.pairs[this.number];
    this.stage.style.visibility = pair ? "visible" : "hidden";
    this.row.style.display = this.pairs.length > 1 ? "flex" : "none";
    if (!pair) return;
    [this.before.src, this.after.src] = [pair.before, pair.after];
    this.row.replaceChildren();
    const addButton = (text, step) => {
      const button = create("button", { cursor: "pointer" }, this.row);
      button.textContent = text;
      button.onclick = () => {
        this.number = (this.number + step + this.pairs.length) % this.pairs.length;
        this.fill();
      };
    };
    addButton("‹", -1);
    create("span", { color: "var(--input-text, #ddd)" }, this.row).textContent = `${this.number + 1} / ${this.pairs.length}`;
    addButton("›", 1);
  }
}

function address(file) {
  const query = new URLSearchParams({ filename: file.filename, subfolder: file.subfolder, type: file.type });
  return api.apiURL(`/view?${query}`);
}

app.registerExtension({
  name: "InstructX2X.Compare",
  nodeCreated(node) {
    if (node.comfyClass !== "X2XCompare") return;
    const slider = new Slider();
    const widget = node.addDOMWidget("x2x_compare", "x2x_compare", slider.element, {
      serialize: false, hideOnZoom: false, getValue: () => "", setValue: () => {}, getMinHeight: () => 260,
    });
    widget.serialize = false;
    after(node, "onExecuted", (output) => {
      if (!output?.x2x_before) return;
      slider.show(output.x2x_before.map((one, number) => ({
        before: address(one), after: address(output.x2x_after[number]), at: output.x2x_at?.[number],
      })));
    });
    node.setSize([Math.max(node.size[0], 360), Math.max(node.size[1], 420)]);
  },
});
