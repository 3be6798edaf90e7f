// Adds a read-only text box to a node. It is not part of workflows or prompts.
export function addTextWidget(node, name, lines) {
  const element = document.createElement("div");
  Object.assign(element.style, {
    boxSizing: "border-box", width: "100%", height: "100%", overflow: "auto", padding: "4px 8px", borderRadius: "6px",
    background: "var(--comfy-input-bg, #222)", color: "var(--input-text, #ddd)", font: "11px/1.4 sans-serif",
    whiteSpace: "pre-wrap", userSelect: "text",
  });
  const height = lines * 16 + 8;
  const widget = node.addDOMWidget(name, "x2x_text", element, {
    serialize: false, hideOnZoom: false, getValue: () => element.textContent, setValue: () => {},
    getMinHeight: () => height, getMaxHeight: () => height,
  });
  widget.serialize = false; // otherwise it would shift the values of saved workflows
  return (text) => { element.textContent = text; };
}

// Calls `then` after the node's own handler.
export function after(node, handler, then) {
  const own = node[handler];
  node[handler] = function (...args) {
    const result = own?.apply(this, args);
    then.apply(this, args);
    return result;
  };
}

// Calls `then` with a widget's new value, after the widget's own callback.
export function onWidget(node, name, then) {
  const widget = find(node, name);
  if (widget) after(widget, "callback", (value) => then(value));
  return widget;
}

export function find(node, name) {
  return node.widgets?.find((widget) => widget.name === name);
}

// Greys out a widget, on the canvas and in Vue nodes.
export function disable(widget, disabled) {
  if (!widget) return;
  widget.disabled = disabled;
  if (widget.options) widget.options.disabled = disabled;
}
