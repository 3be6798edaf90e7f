// X2XInstruction shows the sentence while its menus change; other nodes show their report after a run.
import { app } from "../../scripts/app.js";
import { api } from "../../scripts/api.js";
import { addTextWidget, after, disable, find, onWidget } from "./text.js";

const MENUS = ["operation", "finding", "level", "level_to", "side", "zone"];
const LINES = { X2XInstruction: 3, X2XPseudomask: 4, X2XEdit: 6, X2XCandidates: 6, X2XSaveArchive: 6 };

function linkOf(graph, id) {
  return graph.getLink?.(id) ?? graph.links?.get?.(id) ?? graph.links?.[id];
}

// Returns the whole instruction: the clauses of previous Instruction nodes and the node's own.
function sentenceOf(node, hops = 0) {
  const slot = node.inputs?.findIndex((one) => one.name === "previous") ?? -1;
  const before = slot >= 0 && hops < 50 ? node.getInputNode(slot) : null;
  const earlier = before?.comfyClass === "X2XInstruction" ? sentenceOf(before, hops + 1) : "";
  return `${earlier} ${node.x2xClause ?? ""}`.trim();
}

// Writes the sentence into linked text fields. It stays there, to be edited, when the link is deleted.
function updateLinkedTexts(node, hops = 0) {
  const graph = node.graph ?? app.graph;
  for (const id of hops < 50 ? node.outputs?.[0]?.links ?? [] : []) {
    const link = linkOf(graph, id);
    const target = link && graph.getNodeById(link.target_id);
    if (!target) continue;
    if (target.comfyClass === "X2XInstruction") updateLinkedTexts(target, hops + 1);
    const widget = find(target, target.inputs[link.target_slot]?.widget?.name);
    if (widget && node.x2xClause) widget.value = sentenceOf(node);
  }
}

function followMenus(node, show) {
  let requests = 0;
  const update = async () => {
    disable(find(node, "level_to"), find(node, "operation").value !== "change");
    const number = ++requests;
    const query = new URLSearchParams(MENUS.map((name) => [name, find(node, name).value]));
    const answer = await api.fetchApi(`/instructx2x/sentence?${query}`);
    if (!answer.ok || number !== requests) return;
    const reply = await answer.json();
    show(reply.text);
    node.x2xClause = reply.sentence;
    updateLinkedTexts(node);
    node.setDirtyCanvas(true, true);
  };
  MENUS.forEach((name) => onWidget(node, name, update));
  after(node, "onConfigure", update);
  after(node, "onConnectionsChange", () => queueMicrotask(() => updateLinkedTexts(node)));
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
