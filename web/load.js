// X2XLoadPseudomask: a button that uploads any of the files that it reads.
import { app } from "../../scripts/app.js";
import { api } from "../../scripts/api.js";

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
    if (node.comfyClass === "X2XLoadPseudomask") addUpload(node, node.widgets.find((one) => one.name === "file"));
  },
});
