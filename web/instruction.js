// X2XInstruction shows the sentence while its menus are turned; other nodes show what they were told after a run.
import { app } from "../../scripts/app.js";
import { api } from "../../scripts/api.js";
import { addTextWidget, after, disable, find, onWidget } from "./text.js";

const MENUS = ["operation", "finding", "level", "level_to", "side", "zone"];
const LINES = { X2XInstruction: 3, X2XPseudomask: 4, X2XEdit: 6 };

function linkOf(graph, id) {
  return graph.getLink?.(id) ?? graph.links?.get?.(id) ?? graph.links?.[id];
}

// The whole instruction: the clauses that come before, where they come from menus too, and the node's own.
function sentenceOf(node, hops = 0) {
  const slot = node.inputs?.findIndex((one) => one.name === "previous") ?? -1;
  const before = slot >= 0 && hops < 50 ? node.getInputNode(slot) : null;
  const earlier = before?.comfyClass === "X2XInstruction" ? sentenceOf(before, hops + 1) : "";
  return `${earlier} ${node.x2xClause ?? ""}`.trim();
}

// Text fields that a link takes the place of show the sentence that comes through it; it stays there to be changed
// when the link is deleted.
function spread(node, hops = 0) {
  const graph = node.graph ?? app.graph;
  for (const id of hops < 50 ? node.outputs?.[0]?.links ?? [] : []) {
    const link = linkOf(graph, id);
    const target = link && graph.getNodeById(link.target_id);
    if (!target) continue;
    if (target.comfyClass === "X2XInstruction") spread(target, hops + 1);
    const widget = find(target, target.inputs[link.target_slot]?.widget?.name);
    if (widget && node.x2xClause) widget.value = sentenceOf(node);
  }
}

function followMenus(node, show) {
  let asked = 0;
  const update = async () => {
    disable(find(node, "level_to"), find(node, "operation").value !== "change");
    const number = ++asked;
    const query = new URLSearchParams(MENUS.map((name) => [name, find(node, name).value]));
    const answer = await api.fetchApi(`/instructx2x/sentence?${query}`);
    if (!answer.ok || number !== asked) return;
    const told = await answer.json();
    show(told.text);
    node.x2xClause = told.sentence;
    spread(node);
    node.setDirtyCanvas(true, true);
  };
  MENUS.forEach((name) => onWidget(node, name, update));
  after(node, "onConfigure", update);
  after(node, "onConnectionsChange", () => queueMicrotask(() => spread(node)));
  queueMicrotask(update);
}

app.registerExtension({
  name: "InstructX2X.Texts",
  nodeCreated(node) {
    const lines = LINES[node.comfyClass];
    if (!lines) return;
    const show = addTextWidget(node, "x2x_text", lines);
    after(node, "onExecuted", (output) => { if (output?.x2x_text) show(output.x2x_text.join("\n")); });
    if (node.comfyClass === "X2XInstruction") followMenus(node, show);
  },
});
