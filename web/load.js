// Buttons that upload files which ComfyUI's own button does not accept: pseudomasks and DICOM files.
import { app } from "../../scripts/app.js";
import { api } from "../../scripts/api.js";

function addUpload(node, widget, label, accept, folder = "") {
  const chooser = document.createElement("input");
  Object.assign(chooser, { type: "file", accept });
  chooser.onchange = async () => {
    if (!chooser.files.length) return;
    const body = new FormData();
    body.append("image", chooser.files[0]);
    const answer = await api.fetchApi("/upload/image", { method: "POST", body });
    if (!answer.ok) return alert(`Upload failed: ${answer.status} ${answer.statusText}`);
    const { name } = await answer.json();
    const value = folder + name;
    if (!widget.options.values.includes(value)) widget.options.values.push(value);
    widget.value = value;
    widget.callback?.(value);
    node.setDirtyCanvas(true, true);
  };
  const button = node.addWidget("button", label, null, () => chooser.click(), { serialize: false });
  button.serialize = false;
}

app.registerExtension({
  name: "InstructX2X.Load",
  nodeCreated(node) {
    const widget = (name) => node.widgets.find((item) => item.name === name);
    if (node.comfyClass === "X2XLoadPseudomask")
      addUpload(node, widget("file"), "choose file to upload", ".npy,.safetensors,image/*", "input/");
    if (node.comfyClass === "X2XLoadRadiograph") // no filter: many DICOM files have no suffix
      addUpload(node, widget("image"), "choose DICOM to upload", "");
  },
});
