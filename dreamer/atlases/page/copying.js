// Elements made of text, never of markup; and text that is copied.
"use strict";

/** A new element. Attributes are set as they are, children are elements or text. */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== false && value !== null) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** Some lines of text under a heading, with a button that copies them. */
function copyable(label, text) {
  return element(
    "div",
    { class: "copyable" },
    element("h3", {}, label),
    copyButton("Copy", label, text),
    element("pre", { tabindex: "0", role: "region", "aria-label": label }, element("code", {}, text)),
  );
}

/** A button that copies a text; label says to a person what is copied. */
function copyButton(caption, label, text) {
  const said = element("span", { class: "hidden", role: "status" });
  const button = element("button", { type: "button", "aria-label": `Copy ${label.toLowerCase()}` }, caption);
  button.addEventListener("click", async () => {
    const isDone = await copy(text, button);
    button.textContent = isDone ? "Copied" : "Not copied";
    said.textContent = isDone ? `${label} copied` : "Copying is not allowed here";
    setTimeout(() => {
      button.textContent = caption;
      said.textContent = "";
    }, 1600);
  });
  return element("span", { class: "copy" }, button, said);
}

/** Copy text; whether that was allowed. */
async function copy(text, beside) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyOld(text, beside);
  }
}

/** The way that also works over plain http. The field must lie within an open dialog, or it cannot have the focus. */
function copyOld(text, beside) {
  const field = element("textarea", { readonly: true, class: "hidden", "aria-hidden": "true" });
  field.value = text;
  beside.after(field);
  field.select();
  const isDone = document.execCommand("copy");
  field.remove();
  beside.focus();
  return isDone;
}
