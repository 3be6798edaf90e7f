// X2XEdit: widgets that are not used are greyed out; those set by the preset show the preset's values.
import { app } from "../../scripts/app.js";
import { api } from "../../scripts/api.js";
import { after, disable, find, onWidget } from "./text.js";

const SET_BY_PRESET = ["steps", "guidance_scale", "image_guidance_scale", "mask_rule", "threshold"];
const MASK = ["mask_rule", "threshold"];

function isLinked(node, name) {
  return node.inputs?.find((one) => one.name === name)?.link != null;
}

// Returns the checkpoint of the connected pipeline, through reroutes, or undefined if it is unknown.
function checkpointOf(node) {
  const slot = node.inputs?.findIndex((one) => one.name === "pipeline") ?? -1;
  let at = slot >= 0 ? node.getInputNode(slot) : null;
  for (let hops = 0; at && hops < 20; hops++) {
    if (at.comfyClass === "X2XLoadPipeline") return find(at, "checkpoint")?.value;
    at = at.inputs?.length ? at.getInputNode(0) : null;
  }
  return undefined;
}

function grey(node) {
  const custom = find(node, "preset")?.value === "custom";
  const masked = isLinked(node, "guidance_mask");
  for (const name of SET_BY_PRESET) disable(find(node, name), !custom || (masked && MASK.includes(name)));
  if (custom && find(node, "mask_rule")?.value === "adaptive") disable(find(node, "threshold"), true);
  const reference = find(node, "preset")?.value === "reference";
  disable(find(node, "solver"), reference);
  disable(find(node, "edit_strength"), reference);
}

// The value of a greyed-out widget is not drawn, so its label shows the value in use: "steps: 4".
function showValue(widget, value) {
  if (!widget) return;
  widget.x2xLabel ??= { own: widget.label };
  const name = widget.x2xLabel.own ?? widget.name;
  widget.label = value === undefined ? widget.x2xLabel.own : `${name}: ${value}`;
}

async function settingsOf(node) {
  const preset = find(node, "preset")?.value;
  const checkpoint = checkpointOf(node);
  if (preset === "custom" || !checkpoint) return {};
  const answer = await api.fetchApi(`/instructx2x/preset?${new URLSearchParams({ checkpoint, preset })}`);
  if (!answer.ok || find(node, "preset")?.value !== preset) return {};
  const values = await answer.json();
  if (values.mask_rule === "adaptive") values.threshold = "not used";
  if (isLinked(node, "guidance_mask")) for (const name of MASK) values[name] = "not used";
  return values;
}

async function showPreset(node) {
  grey(node);
  const values = await settingsOf(node);
  for (const name of SET_BY_PRESET) showValue(find(node, name), values[name]);
  node.setDirtyCanvas(true, true);
}

function refreshAll() {
  for (const node of app.graph?._nodes ?? []) if (node.comfyClass === "X2XEdit") showPreset(node);
}

// Removes the last live preview, which would hide the result.
function dropPreview(node) {
  for (const key of Object.keys(app.nodePreviewImages ?? {})) {
    if (key === String(node.id) || key.endsWith(`:${node.id}`)) delete app.nodePreviewImages[key];
  }
  node.setDirtyCanvas(true, true);
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
    after(node, "onExecuted", () => dropPreview(node));
    grey(node);
  },
  afterConfigureGraph: refreshAll,
});
