// X2XLoadRadiograph: the picture of the bundled sample, and X2XLoadPseudomask: a button that uploads any of its files.
import { app } from "../../scripts/app.js";
import { api } from "../../scripts/api.js";
import { after, onWidget } from "./text.js";

const SAMPLE = "sample (bundled)";

function showSample(node) {
  const image = new Image();
  image.onload = () => { node.imgs = [image]; node.setDirtyCanvas(true, true); };
  image.src = api.apiURL("/instructx2x/sample");
}

function addUpload(node, widget) {
  const chooser = document.createElement("input");
  Object.assign(chooser, { type: "file", accept: ".npy,.safetensors,image/*" });
  chooser.onchange = async () => {
    const body = new FormData();
    body.append("image", chooser.files[0]);
    const answer = await api.fetchApi("/upload/image", { method: "POST", body });
    if (!answer.ok) return alert(`Upload failed: ${answer.status} ${answer.statusText}`);
    const { name } = await answer.json();
    const value = `input/${name}`;
    if (!widget.options.values.includes(value)) widget.options.values.push(value);
    widget.value = value;
    widget.callback?.(value);
    node.setDirtyCanvas(true, true);
  };
  const button = node.addWidget("button", "choose file to upload", null, () => chooser.click(), { serialize: false });
  button.serialize = false;
}

app.registerExtension({
  name: "InstructX2X.Load",
  nodeCreated(node) {
    if (node.comfyClass === "X2XLoadRadiograph") {
      const widget = onWidget(node, "image", (value) => { if (value === SAMPLE) setTimeout(() => showSample(node)); });
      const follow = () => { if (widget?.value === SAMPLE) setTimeout(() => showSample(node), 50); };
      after(node, "onConfigure", follow);
      follow();
    }
    if (node.comfyClass === "X2XLoadPseudomask") addUpload(node, node.widgets.find((one) => one.name === "file"));
  },
});
