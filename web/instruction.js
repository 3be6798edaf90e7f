// X2XInstruction shows the sentence while its menus are turned; other nodes show what they were told after a run.
import { app } from "../../scripts/app.js";
import { api } from "../../scripts/api.js";
import { addTextWidget, after, disable, find, onWidget } from "./text.js";

const MENUS = ["operation", "finding", "level", "level_to", "side", "zone"];
const LINES = { X2XInstruction: 3, X2XPseudomask: 4, X2XEdit: 6 };

function followMenus(node, show) {
  let asked = 0;
  const update = async () => {
    disable(find(node, "level_to"), find(node, "operation").value !== "change");
    const number = ++asked;
    const query = new URLSearchParams(MENUS.map((name) => [name, find(node, name).value]));
    const answer = await api.fetchApi(`/instructx2x/sentence?${query}`);
    if (answer.ok && number === asked) show((await answer.json()).text);
    node.setDirtyCanvas(true, true);
  };
  MENUS.forEach((name) => onWidget(node, name, update));
  after(node, "onConfigure", update);
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
