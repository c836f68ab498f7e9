"use strict";
// Names are data throughout: they are set as text, never as markup.
const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);

// chosen: what is pinned; pointed: what the pointer or the focus is on. Both are things: what can lie over the photo.
// held and over: points of the photo, in its pixels, that are pinned or pointed at. They outlast a change of layer.
const first = data.layers.find((one) => one.name === data.start) ?? data.layers[0] ?? null;
const state = { layer: first, chosen: null, pointed: null, held: null, over: null };

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

/** A picture, or a calm tile with a number where none was drawn. */
function pictureOf(file, instead) {
  if (!file) return element("span", { class: "picture", "aria-hidden": "true" }, instead);
  return element("img", { class: "picture", src: addressOf(file), alt: "", loading: "lazy", decoding: "async" });
}

/** A number with few digits and a true minus. */
function numberOf(value, digits = 1) {
  return value.toFixed(digits).replace("-", "\u2212");
}

function percentOf(share) {
  const percent = 100 * share;
  return percent > 0 && percent < 0.1 ? "< 0.1%" : `${percent.toFixed(percent < 10 ? 1 : 0)}%`;
}

/** Classes have many names; the first is what a person says. */
function firstName(name) {
  return name.split(", ")[0];
}

function beatsOf(share) {
  const count = Math.floor(100 * share + 1e-6); // 0.29 * 100 is a little less than 29.
  return count >= 100 ? "more than all photos" : `more than ${count} of 100 photos`;
}

/** Which way something speaks, in words, for those who see no colours. */
function signOf(value) {
  if (value === null || value === undefined) return null;
  const isFor = value >= 0;
  return element("small", { class: isFor ? "for" : "against" },
    `speaks ${isFor ? "for +" : "against "}${numberOf(value, 2)}`);
}

/* Where things lie. */

/** The middle of a position, in pixels of the photo. */
function centreOf(layer, [row, column]) {
  return { y: layer.first[0] + row * layer.stride[0], x: layer.first[1] + column * layer.stride[1] };
}

function hasPositions(layer) {
  return Boolean(layer.first && layer.stride && layer.rows && layer.columns);
}

/** The position whose middle is nearest to a point, as [row, column]; a layer without positions has one for all. */
function nearest(layer, point) {
  if (!hasPositions(layer)) return [0, 0];
  const along = (value, first, stride, count) =>
    Math.min(Math.max(stride ? Math.round((value - first) / stride) : 0, 0), count - 1);
  return [along(point.y, layer.first[0], layer.stride[0], layer.rows),
    along(point.x, layer.first[1], layer.stride[1], layer.columns)];
}

/** What a position sees as shares of the photo, [top, left, height, width]; cut off where the photo ends. */
function seenBy(layer, position) {
  if (!hasPositions(layer) || !layer.extent) return [0, 0, 1, 1];
  const centre = centreOf(layer, position);
  const [top, height] = cut(centre.y, layer.extent[0], data.photo.height);
  const [left, width] = cut(centre.x, layer.extent[1], data.photo.width);
  return [top, left, height, width];
}

function cut(middle, length, side) {
  const clip = (value) => Math.min(Math.max(value, 0), side);
  const start = clip(middle - length / 2);
  return [start / side, (clip(middle + length / 2) - start) / side];
}

function extentOf(layer) {
  if (!layer.extent) return "the whole photo";
  const [height, width] = layer.sees ?? layer.extent; // In the pixels that the network saw.
  return `${Math.round(width)} \u00d7 ${Math.round(height)} pixels`;
}

function placeName(layer, [row, column]) {
  if (!hasPositions(layer)) return "The whole photo";
  return `Row ${row}, column ${column}`; // From 0, as targets and the terminal have it.
}

/* Things: what can be laid over the photo. */

function thingOfUnit(layer, unit) {
  const lines = [[`stands out ${numberOf(unit.unusual)}`, unit.beats === null ? "" : beatsOf(unit.beats),
    `score ${numberOf(unit.score)}`].filter(Boolean).join("; ")];
  if (unit.at && hasPositions(layer)) {
    lines.push(`Strongest at ${placeName(layer, unit.at).toLowerCase()}, which sees ${extentOf(layer)}.`);
  }
  return { key: `unit/${unit.channel}`, channel: unit.channel, title: unit.name, heat: unit.heat, picture: unit.picture,
    box: unit.at ? seenBy(layer, unit.at) : null, lines, sign: unit.attribution };
}

function thingOfAttribution(layer) {
  return { key: "attribution", title: `${forName()}, in ${layer.name}`, heat: layer.attribution.heat,
    lines: [`All of ${layer.name} adds up to ${numberOf(layer.attribution.total, 2)}.`] };
}

function thingOfGroup(group, index) {
  return { key: `group/${index}`, title: group.name, heat: group.heat, picture: group.picture,
    lines: ["Channels that fire in the same places."], sign: group.attribution };
}

function thingOfCrop(index) {
  const best = data.crops.best[index];
  return { key: `crop/${index}`, title: `Crop ${index + 1}`, box: data.crops.boxes[index],
    lines: [best ? `${firstName(best.name)}, ${percentOf(best.probability)}` : ""] };
}

function forName() {
  if (!data.question) return "What speaks for it";
  const { against } = data.question;
  return `What speaks for ${firstName(data.question.for)}${against ? ` against ${firstName(against)}` : ""}`;
}

/**
 * Make a button lay its thing over the photo: while it is pointed at or has the focus, and for good when pressed.
 * isWithin: it stands in what is said of a place, which must stay, or the button would be gone.
 */
function lays(button, thing, isWithin = false) {
  button.type = "button";
  button.dataset.key = thing.key;
  const point = () => update({ pointed: { ...thing, isWithin }, over: null });
  const leave = () => state.pointed?.key === thing.key && update({ pointed: null });
  // A finger has no hover: what it touches is pressed anyway.
  button.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && point());
  button.addEventListener("pointerleave", leave);
  button.addEventListener("focus", point);
  button.addEventListener("blur", leave);
  button.addEventListener("click", () => press(thing, isWithin));
  return button;
}

function press(thing, isWithin) {
  const isChosen = state.chosen?.key === thing.key;
  update({ chosen: isChosen ? null : thing, pointed: null, held: isWithin ? state.held : null });
  saveLink();
}

/* What is drawn over the photo, and said below it. */

function update(change) {
  Object.assign(state, change);
  const point = state.over ?? (state.pointed?.isWithin ?? true ? state.held : null);
  const place = point && state.layer ? nearest(state.layer, point) : null;
  const thing = state.pointed ?? state.chosen;
  drawHeat(thing?.heat ?? null);
  drawBox(place && !state.pointed ? seenBy(state.layer, place) : thing?.box ?? null);
  drawCross(place && !state.pointed && hasPositions(state.layer) ? centreOf(state.layer, place) : null);
  say(place, thing);
  for (const button of document.querySelectorAll("button[data-key]")) {
    button.setAttribute("aria-pressed", String(button.dataset.key === state.chosen?.key));
  }
}

const heats = new Map();

/** Each file has its own element: one that changes its file would show the last one until the next is there. */
function drawHeat(file) {
  if (byId("heat").dataset.file === (file ?? "")) return;
  byId("heat").dataset.file = file ?? "";
  if (file && !heats.has(file)) heats.set(file, element("img", { src: addressOf(file), alt: "" }));
  byId("heat").replaceChildren(...(file ? [heats.get(file)] : []));
}

function drawBox(box) {
  const drawn = byId("box");
  drawn.hidden = !box;
  if (!box) return;
  ["top", "left", "height", "width"].forEach((side, index) => { drawn.style[side] = `${100 * box[index]}%`; });
}

function drawCross(centre) {
  const cross = byId("cross");
  cross.hidden = !centre;
  if (!centre) return;
  const share = (value, side) => `${100 * Math.min(Math.max(value / side, 0), 1)}%`;
  cross.style.top = share(centre.y, data.photo.height);
  cross.style.left = share(centre.x, data.photo.width);
}

function say(place, thing) {
  const key = place ? `${state.layer.name}@${place}` : thing?.key ?? "";
  if (byId("said").dataset.key === key) return; // A pointer moves more often than something changes.
  byId("said").dataset.key = key;
  byId("said-title").textContent = place ? placeName(state.layer, place) : thing?.title ?? "Point at the photo";
  byId("said").replaceChildren(...(place ? saidOfPlace(place) : [thing ? saidOfThing(thing) : hint()]));
}

function hint() {
  return element("p", { class: "faint" },
    "Here stands what fires where you point. Point at a unit to see where it fires; press it to keep it.");
}

function saidOfThing(thing) {
  const words = element("div", {}, ...thing.lines.filter(Boolean).map((line) => element("p", { class: "faint" }, line)),
    signOf(thing.sign));
  return element("div", { class: "told" },
    thing.picture ? element("img", { src: addressOf(thing.picture), alt: "" }) : null, words);
}

function saidOfPlace(place) {
  const { layer } = state;
  const found = firing(layer, place);
  const sees = hasPositions(layer)
    ? `${layer.name}: ${layer.rows} rows, ${layer.columns} columns; this position sees ${extentOf(layer)}` : layer.name;
  if (!found.length) return [element("p", { class: "faint" }, `Nothing stands out here in ${layer.name}.`)];
  return [element("p", { class: "faint place" }, sees),
    element("ul", { class: "units", "aria-label": "What fires here" },
      ...found.map(([channel, unusual]) => chip(layer, channel, numberOf(unusual), { isWithin: true })))];
}

function firing(layer, [row, column]) {
  return layer.places?.[row * layer.columns + column] ?? [];
}

/** A small picture of a channel. It can be pressed where there is a map of it. */
function chip(layer, channel, words, { kind = "", isWithin = false } = {}) {
  const unit = unitOf(layer, channel);
  const inside = [pictureOf(layer.pictures[channel], ""), element("b", {}, String(channel)),
    words ? element("small", { class: kind }, words) : null];
  if (!unit) return element("li", {}, element("span", {}, ...inside));
  return element("li", {}, lays(element("button", {}, ...inside), thingOfUnit(layer, unit), isWithin));
}

function unitOf(layer, channel) {
  return layer.units.find((unit) => unit.channel === channel);
}

/** Say it to those who do not see the photo; only for keys, for a pointer would never let it finish. */
function sayAloud(place) {
  const found = firing(state.layer, place).map(([channel, unusual]) => `channel ${channel}, ${numberOf(unusual)}`);
  byId("live").textContent = `${placeName(state.layer, place)}: ${found.join("; ") || "nothing stands out"}`;
}

/* Pointing at the photo. */

function pointOf(event) {
  const frame = byId("stage").getBoundingClientRect();
  return { x: ((event.clientX - frame.left) / frame.width) * data.photo.width,
    y: ((event.clientY - frame.top) / frame.height) * data.photo.height };
}

function listenToPhoto() {
  const stage = byId("stage");
  const follow = (event) => {
    // A finger that is lifted is gone, but what it showed is to be read then.
    update(event.pointerType === "mouse" ? { over: pointOf(event) } : { held: pointOf(event), over: null });
  };
  stage.addEventListener("pointermove", follow);
  stage.addEventListener("pointerdown", follow);
  stage.addEventListener("pointerleave", () => update({ over: null }));
  stage.addEventListener("click", (event) => update({ held: pointOf(event) }));
  stage.addEventListener("keydown", movePlace);
}

function movePlace(event) {
  const { layer } = state;
  const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
  if (!layer || !moves[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  const place = state.held ? stepped(layer, moves[event.key]) : startOf(layer);
  if (hasPositions(layer)) update({ held: centreOf(layer, place), over: null });
  else update({ held: { x: data.photo.width / 2, y: data.photo.height / 2 }, over: null });
  sayAloud(place);
}

function stepped(layer, [down, right]) {
  const [row, column] = nearest(layer, state.held);
  const within = (value, count) => Math.min(Math.max(value, 0), Math.max(count - 1, 0));
  return hasPositions(layer) ? [within(row + down, layer.rows), within(column + right, layer.columns)] : [0, 0];
}

/** Keys start where the pinned unit fires most, or in the middle. */
function startOf(layer) {
  if (!hasPositions(layer)) return [0, 0];
  const unit = unitOf(layer, state.chosen?.channel);
  return unit?.at ?? [Math.floor(layer.rows / 2), Math.floor(layer.columns / 2)];
}

/* What the network answers. */

function tableOf(caption, predictions) {
  const body = element("tbody");
  for (const { name, probability } of predictions) {
    const bar = element("span", { class: "bar" });
    bar.style.width = `${100 * probability}%`;
    body.append(element("tr", {}, element("th", { scope: "row", title: name }, firstName(name)),
      element("td", {}, bar), element("td", { class: "number" }, percentOf(probability))));
  }
  return element("table", {}, element("caption", {}, caption), body);
}

function showAnswers() {
  const { predictions, crops, question } = data;
  byId("answers").hidden = !(predictions.length || crops || question);
  byId("question").hidden = !question;
  if (question) byId("units-title").textContent = "What stands out, or speaks for or against";
  if (question) byId("question").textContent = `Asked: ${lowered(forName())}? The score is ${numberOf(question.score, 2)}.`;
  const tables = predictions.length ? [tableOf("The whole photo", predictions)] : [];
  if (crops) tables.push(tableOf(`The mean of ${crops.count} crops`, crops.predictions));
  byId("tables").replaceChildren(...tables);
  byId("crops").hidden = !crops;
  if (crops) showCrops();
}

function lowered(text) {
  return text[0].toLowerCase() + text.slice(1);
}

function showCrops() {
  const items = data.crops.boxes.map((_, index) => {
    const best = data.crops.best[index];
    const words = best ? `${index + 1} ${firstName(best.name)} ${percentOf(best.probability)}` : String(index + 1);
    return element("li", {}, lays(element("button", {}, words), thingOfCrop(index)));
  });
  byId("crops").replaceChildren(element("p", { class: "faint" }, data.crops.how),
    element("ul", { "aria-label": "Crops" }, ...items));
}

/* Layers. */

function showTabs() {
  const tabs = data.layers.map((layer, index) => {
    const tab = element("button", { type: "button", role: "tab", id: `tab-${index}`, "aria-controls": "panel" }, layer.name);
    tab.addEventListener("click", () => {
      choose(layer);
      saveLink();
    });
    return tab;
  });
  byId("tabs").replaceChildren(...tabs);
  byId("tabs").addEventListener("keydown", turn);
  byId("tabs").hidden = byId("panel").hidden = !tabs.length;
  byId("none").hidden = tabs.length > 0;
}

function turn(event) {
  const last = data.layers.length - 1, now = data.layers.indexOf(state.layer);
  const ends = { Home: 0, End: last, ArrowLeft: now > 0 ? now - 1 : last, ArrowRight: now < last ? now + 1 : 0 };
  if (!(event.key in ends) || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  const tab = byId(`tab-${ends[event.key]}`);
  tab.focus();
  tab.click();
}

/** Show a layer. A crop stays pinned, and so does a point of the photo: one can ask every layer about the same place. */
function choose(layer) {
  state.layer = layer;
  data.layers.forEach((other, index) => {
    const tab = byId(`tab-${index}`);
    tab.setAttribute("aria-selected", String(other === layer));
    tab.tabIndex = other === layer ? 0 : -1;
  });
  byId("panel").setAttribute("aria-labelledby", `tab-${data.layers.indexOf(layer)}`);
  byId("panel").replaceChildren(...partsOf(layer));
  byId("said").dataset.key = " "; // Units of another layer may have the same numbers.
  update({ pointed: null, chosen: state.chosen?.key.startsWith("crop/") ? state.chosen : null });
}

function partsOf(layer) {
  const parts = [layer.units.length
    ? element("ul", { class: "cards", "aria-label": "Units" }, ...layer.units.map((unit) => cardOf(layer, unit)))
    : element("p", { class: "faint" }, `Nothing stands out in ${layer.name}.`)];
  return layer.attribution ? [...parts, evidenceOf(layer)] : parts;
}

function cardOf(layer, unit) {
  const words = element("span", { class: "words" }, element("b", {}, unit.name),
    element("small", {}, `stands out ${numberOf(unit.unusual)}`),
    unit.beats === null ? null : element("small", {}, beatsOf(unit.beats)), signOf(unit.attribution));
  return element("li", {}, lays(element("button", {}, pictureOf(unit.picture, "not drawn"), words), thingOfUnit(layer, unit)));
}

function evidenceOf(layer) {
  const { attribution } = layer;
  const where = lays(element("button", { class: "where" }, "Show where"), thingOfAttribution(layer));
  const sides = element("div", { class: "sides" }, sideOf(layer, "for", "Speaks for"), sideOf(layer, "against", "Speaks against"));
  const groups = attribution.groups.length
    ? [element("h3", {}, "Groups"), element("ul", { class: "cards", "aria-label": "Groups" }, ...attribution.groups.map(groupCard))]
    : [];
  return element("section", { "aria-labelledby": "evidence" }, element("h2", { id: "evidence" }, forName()),
    element("p", { class: "faint" }, `All of ${layer.name} adds up to ${numberOf(attribution.total, 2)}.`), where, sides, ...groups);
}

function sideOf(layer, side, title) {
  const channels = layer.attribution[side].map((channel) => {
    const value = unitOf(layer, channel)?.attribution ?? null;
    const words = value === null ? "" : `${value < 0 ? "" : "+"}${numberOf(value, 2)}`;
    return chip(layer, channel, words, { kind: side });
  });
  return element("div", {}, element("h3", { class: side }, title),
    channels.length ? element("ul", { class: "units", "aria-label": title }, ...channels) : element("p", { class: "faint" }, "nothing"));
}

function groupCard(group, index) {
  const words = element("span", { class: "words" }, element("b", {}, group.name), signOf(group.attribution));
  return element("li", {}, lays(element("button", {}, pictureOf(group.picture, "not drawn"), words), thingOfGroup(group, index)));
}

/* The link. */

function saveLink() {
  const link = new URLSearchParams({ layer: state.layer?.name ?? "" });
  if (state.chosen?.channel !== undefined) link.set("unit", state.chosen.channel);
  history.replaceState(null, "", `#${link}`);
}

/** Show what the link means; a link of something else changes nothing. */
function followLink() {
  const link = new URLSearchParams(location.hash.slice(1));
  const layer = data.layers.find((one) => one.name === link.get("layer"));
  if (!layer) return;
  choose(layer);
  const unit = link.has("unit") ? layer.units.find((one) => String(one.channel) === link.get("unit")) : null;
  if (unit) update({ chosen: thingOfUnit(layer, unit), held: null });
}

/* The page. */

function showPhoto() {
  const { path, width, height } = data.photo;
  const stage = byId("stage");
  stage.style.setProperty("--ratio", width / height);
  stage.setAttribute("aria-label", data.title);
  Object.assign(byId("photo"), { width, height, src: addressOf(path) });
}

function setStrength() {
  byId("heat").style.opacity = byId("strength").value / 100;
}

function listen() {
  listenToPhoto();
  byId("strength").addEventListener("input", setStrength);
  addEventListener("hashchange", followLink);
  addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    update({ chosen: null, pointed: null, held: null, over: null });
    saveLink();
  });
}

document.title = byId("title").textContent = data.title;
byId("model").textContent = data.model;
byId("about").textContent = data.about;
byId("all").hidden = false; // Without scripts there would be a frame around nothing.
showPhoto();
showAnswers();
showTabs();
if (state.layer) choose(state.layer);
else update({});
setStrength();
listen();
followLink();
