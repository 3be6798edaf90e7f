// X2XEdit: with a preset other than "custom" the widgets that don't count are greyed, and show what is used instead.
import { app } from "../../scripts/app.js";
import { api } from "../../scripts/api.js";
import { after, onWidget } from "./text.js";

const OVERRIDDEN = ["steps", "guidance_scale", "image_guidance_scale", "mask_rule", "threshold"];
const MASK = ["mask_rule", "threshold"];

function find(node, name) {
  return node.widgets?.find((one) => one.name === name);
}

function disable(widget, disabled) {
  if (!widget) return;
  widget.disabled = disabled;
  if (widget.options) widget.options.disabled = disabled;
}

function isLinked(node, name) {
  return node.inputs?.find((one) => one.name === name)?.link != null;
}

// The checkpoint of the pipeline that is connected, through reroutes; undefined where it can't be told.
function checkpointOf(node) {
  let slot = node.inputs?.findIndex((one) => one.name === "pipeline");
  let at = slot >= 0 ? node.getInputNode(slot) : null;
  for (let hops = 0; at && hops < 20; hops++) {
    if (at.comfyClass === "X2XLoadPipeline") return find(at, "checkpoint")?.value;
    at = at.inputs?.length ? at.getInputNode(0) : null;
  }
  return undefined;
}

function grey(node) {
  const preset = find(node, "preset")?.value;
  const masked = isLinked(node, "guidance_mask");
  for (const name of OVERRIDDEN) {
    disable(find(node, name), preset !== "custom" || (masked && MASK.includes(name)));
  }
  const level = find(node, "threshold");
  if (preset === "custom" && find(node, "mask_rule")?.value === "adaptive") disable(level, true);
  disable(find(node, "solver"), preset === "reference");
  disable(find(node, "edit_strength"), preset === "reference");
}

async function showPreset(node) {
  grey(node);
  const preset = find(node, "preset")?.value;
  const checkpoint = checkpointOf(node);
  if (preset !== "custom" && checkpoint) {
    const answer = await api.fetchApi(`/instructx2x/preset?${new URLSearchParams({ checkpoint, preset })}`);
    if (answer.ok && find(node, "preset")?.value === preset) {
      for (const [name, value] of Object.entries(await answer.json())) {
        const widget = find(node, name);
        if (widget) widget.value = value;
      }
    }
  }
  node.setDirtyCanvas(true, true);
}

function refreshAll() {
  for (const node of app.graph?._nodes ?? []) if (node.comfyClass === "X2XEdit") showPreset(node);
}

app.registerExtension({
  name: "InstructX2X.Edit",
  nodeCreated(node) {
    if (node.comfyClass === "X2XLoadPipeline") onWidget(node, "checkpoint", refreshAll);
    if (node.comfyClass === "X2XGuidanceMap") {
      const follow = () => disable(find(node, "threshold"), find(node, "mask_rule").value !== "threshold");
      onWidget(node, "mask_rule", follow);
      after(node, "onConfigure", follow);
      follow();
    }
    if (node.comfyClass !== "X2XEdit") return;
    onWidget(node, "preset", () => showPreset(node));
    onWidget(node, "mask_rule", () => grey(node));
    after(node, "onConnectionsChange", () => showPreset(node));
    grey(node);
  },
  afterConfigureGraph: refreshAll,
});
