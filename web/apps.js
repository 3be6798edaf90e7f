// Workflows that open as apps. Pages before 1.41 have a first draft of apps without results, so they show the graph.
import { app } from "../../scripts/app.js";

function knowsApps() {
  const [major, minor] = (window.__COMFYUI_FRONTEND_VERSION__ ?? "").split(".").map(Number);
  return major > 1 || (major === 1 && minor >= 41);
}

app.registerExtension({
  name: "InstructX2X.Apps",
  beforeConfigureGraph(workflow) {
    if (!workflow?.extra?.linearMode || knowsApps()) return;
    if (workflow.nodes?.some((node) => node.type?.startsWith("X2X"))) delete workflow.extra.linearMode;
  },
});
