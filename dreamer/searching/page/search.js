"use strict";
// Names of files are data throughout: they are set as text, never as markup.
const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const LOW = 0.3; // Less agreement than this is a photo that excites for another reason than what is drawn.
const SIDES = { most: "Answers to most", least: "Answers to least" };
const shown = { most: data.most, least: data.least };
let open = null; // What the dialog shows: {side, place}.

/* Elements and words. */

/** A new element. Attributes are set as they are, children are elements or text. */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== false && value !== null) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** The address of a file beside the page. Of a name, every character is meant, "#" and "%" too. */
function addressOf(file) {
  return file.split("/").map(encodeURIComponent).join("/");
}

function pictureOf(file, alt = "") {
  return element("img", { src: addressOf(file), alt, loading: "lazy", decoding: "async" });
}

/** A number with few digits and a true minus. */
function numberOf(value, digits = 2) {
  return value.toFixed(digits).replace("-", "\u2212");
}

function counted(count, of) {
  return count === 1 ? `1 ${of}` : `${count.toLocaleString("en")} ${of}s`;
}

function differs(one) {
  return one.agrees !== null && one.agrees < LOW;
}

/* Cards. */

/** A whole photo with the box of its crop. It keeps the photo's shape, so the box is a matter of percentages. */
function framed(one, alt = "") {
  const box = element("span", { class: "box" });
  ["top", "left", "height", "width"].forEach((side, index) => { box.style[side] = `${100 * one.box[index]}%`; });
  const frame = element("span", { class: "framed" }, pictureOf(one.whole, alt), box);
  frame.style.setProperty("--ratio", one.width / one.height);
  return frame;
}

function wholeTile(one) {
  const frame = framed(one);
  const longest = Math.max(one.width, one.height);
  frame.style.width = `${(100 * one.width) / longest}%`;
  frame.style.height = `${(100 * one.height) / longest}%`;
  return frame;
}

function cardOf(side, one, place) {
  const tile = element("span", { class: "tile" }, byId("whole").checked ? wholeTile(one) : pictureOf(one.crop));
  const button = element("button", { type: "button" }, tile, element("span", { class: "words" },
    element("b", { class: "name" }, one.photo), element("span", {}, `score ${numberOf(one.score)}`), ...notesOn(one)));
  button.addEventListener("click", () => show(side, place));
  return element("li", {}, button);
}

function notesOn(one) {
  const notes = [];
  if (one.agrees !== null) {
    notes.push(element("span", { class: "faint" }, `agrees ${numberOf(one.agrees)} with the drawn picture`));
  }
  if (differs(one)) notes.push(element("span", { class: "differs" }, element("span", {}, "differs")));
  if (one.alike.length) notes.push(element("span", { class: "faint" }, `also: ${one.alike.join(", ")}`));
  return notes;
}

/* Sections. */

function drawnOf(side) {
  const file = data.drawn[side];
  if (!file) return null;
  return element("figure", { class: "drawn" }, pictureOf(file, `Drawn: what it ${SIDES[side].toLowerCase()}`),
    element("figcaption", { class: "faint" }, side === "least" ? "drawn for the opposite" : "the drawn picture"));
}

function showSection(side) {
  const drawn = drawnOf(side);
  const cards = shown[side].map((one, place) => cardOf(side, one, place));
  const list = cards.length
    ? element("ul", { class: "cards", "aria-labelledby": `${side}-title` }, ...cards)
    : element("p", { class: "faint" }, data[side].length ? "No photo here is called so." : "No photo was found.");
  const isDoubtful = shown[side].some(differs);
  const parts = [element("h2", { id: `${side}-title` }, SIDES[side]),
    isDoubtful ? element("p", { class: "faint doubt" }, "What is marked \u201cdiffers\u201d agrees little with the drawn picture. " +
      "A photo holds many things, and alone does not say which of them is meant.") : null,
    element("div", { class: drawn ? "found" : "found alone" }, drawn, list)];
  byId(side).replaceChildren(...parts.filter((part) => part !== null));
}

/** Show what is asked for. Near-duplicates have no card of their own, so their names find the one that stands for them. */
function search() {
  const words = byId("filter").value.trim().toLowerCase();
  const isMeant = (one) => [one.photo, ...one.alike].some((name) => name.toLowerCase().includes(words));
  for (const side of Object.keys(SIDES)) {
    shown[side] = data[side].filter(isMeant);
    showSection(side);
  }
  byId("count").textContent = `${(shown.most.length + shown.least.length).toLocaleString("en")} shown`;
}

/* One photo. */

function show(side, place) {
  open = { side, place };
  const one = shown[side][place];
  const dialog = byId("photo");
  const focused = dialog.contains(document.activeElement) ? document.activeElement.dataset.keeps : null;
  dialog.replaceChildren(headOf(one), bodyOf(one));
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
  dialog.querySelector(`[data-keeps="${focused ?? "next"}"]`).focus();
}

function headOf(one) {
  const press = (keeps, label, sign, act) => {
    const button = element("button", { type: "button", "data-keeps": keeps, "aria-label": label }, sign);
    button.addEventListener("click", act);
    return button;
  };
  return element("header", {}, element("h2", { id: "photo-title" }, one.photo),
    element("span", { class: "faint" }, `${open.place + 1} of ${shown[open.side].length}`),
    press("previous", "previous photo", "\u2190", () => step(-1)), press("next", "next photo", "\u2192", () => step(1)),
    press("close", "Close", "\u2715", () => byId("photo").close()));
}

function bodyOf(one) {
  const fact = (name, ...value) => element("div", {}, element("dt", {}, name), element("dd", {}, ...value));
  const agrees = one.agrees === null ? null
    : fact("agrees", `${numberOf(one.agrees)} with the drawn picture`, differs(one) ? differsMark() : "");
  const facts = element("dl", { class: "facts" }, fact("rank", String(one.rank)), fact("score", numberOf(one.score)), agrees,
    one.alike.length ? fact("also", one.alike.join(", ")) : null);
  return element("div", { class: "photo" }, framed(one, one.photo), element("div", { class: "side" }, facts, drawnOf(open.side)));
}

function differsMark() {
  return element("span", { class: "differs" }, " ", element("span", {}, "differs"));
}

/** On to a neighbour, round the ends. */
function step(by) {
  const count = shown[open.side].length;
  show(open.side, (open.place + by + count) % count);
}

/** Back where the last photo stands. */
function closed() {
  const cards = byId(open.side).querySelectorAll(".cards button");
  cards[open.place]?.focus();
  open = null;
}

function listen() {
  byId("filter").addEventListener("input", search);
  byId("whole").addEventListener("change", search);
  const dialog = byId("photo");
  dialog.addEventListener("close", closed);
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key]; // Up and down scroll.
    if (!by || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    step(by);
  });
}

document.title = byId("title").textContent = data.title;
byId("model").textContent = data.model;
byId("about").textContent = data.about;
byId("looked").textContent = `${counted(data.looked_at, "photo")} looked at, ${data.left_out.toLocaleString("en")} left out.`;
byId("all").hidden = false; // Without scripts there would be a frame around nothing.
listen();
search();
