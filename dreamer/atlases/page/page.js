// The page: what is asked for, what is shown for it, and the link that says so.
"use strict";

const $ = (id) => document.getElementById(id);
const units = unitsOf(ATLAS);
const byKey = new Map(units.map((unit) => [unit.key, unit]));
const asked = { layer: "", text: "", sort: "index", hideDead: false };
let found = [];

const mix = new Mix($("mix"), { onChange: () => grid.remark() });
const grid = new Grid($("units"), {
  above: $("bar"),
  below: $("mix"),
  chosen: mix,
  onOpen: open,
  onChoose: (unit) => mix.toggle(unit),
});
const detail = new Detail($("unit"), {
  step: (by) => {
    const place = found.indexOf(detail.unit);
    // From a link to a unit that is not among those found, on to the first.
    open(found[place < 0 ? 0 : (place + by + found.length) % found.length]);
  },
  isChosen: (unit) => mix.has(unit.key),
  onChoose: (unit) => mix.toggle(unit),
  onClose: (unit) => {
    history.replaceState(null, "", location.pathname + location.search);
    document.title = title();
    if (found.includes(unit)) grid.go(found.indexOf(unit));
  },
});

function title() {
  return `Atlas of ${ATLAS.model}`;
}

function open(unit) {
  if (!unit) return;
  if (location.hash !== hashOf(unit)) history.replaceState(null, "", hashOf(unit));
  document.title = `${titleOf(unit)} – ${title()}`;
  const place = found.indexOf(unit);
  detail.show(unit, place < 0 ? "" : `${(place + 1).toLocaleString("en")} of ${found.length.toLocaleString("en")}`);
}

/** Open what the link means. */
function followLink() {
  const unit = byKey.get(keyOf(location.hash));
  if (unit) open(unit);
}

function search() {
  found = findUnits(units, asked);
  $("count").textContent = found.length === 1 ? "1 unit" : `${found.length.toLocaleString("en")} units`;
  $("none").hidden = found.length > 0;
  grid.show(found, { showsLayers: !asked.layer });
}

function showLayers() {
  const counts = new Map();
  for (const unit of units) counts.set(unit.layer, (counts.get(unit.layer) ?? 0) + 1);
  const layers = counts.size > 1 ? [["", units.length], ...counts] : [...counts];
  if (counts.size === 1) asked.layer = units[0].layer;
  const buttons = layers.map(([layer, count]) => {
    const button = element(
      "button",
      { type: "button", "aria-pressed": String(layer === asked.layer) },
      element("span", {}, layer || "All layers"),
      element("span", { class: "faint" }, count.toLocaleString("en")),
    );
    button.addEventListener("click", () => {
      asked.layer = layer;
      for (const other of buttons) other.setAttribute("aria-pressed", String(other === button));
      search();
      scrollTo({ top: 0 });
    });
    return button;
  });
  $("layers").replaceChildren(...buttons.map((button) => element("li", {}, button)));
}

function listen() {
  const set = (name, value) => {
    asked[name] = value;
    search();
  };
  $("search").addEventListener("input", (event) => set("text", event.target.value));
  $("search").addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === "ArrowDown") grid.go(0);
  });
  $("sort").addEventListener("change", (event) => set("sort", event.target.value));
  $("dead").addEventListener("change", (event) => set("hideDead", event.target.checked));
  $("size").addEventListener("input", (event) => grid.resize(Number(event.target.value)));
  addEventListener("hashchange", followLink);
  addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.target.closest("input, select, dialog")) return;
    event.preventDefault();
    $("search").focus();
  });
}

document.title = title();
$("title").textContent = ATLAS.model;
$("about").textContent = ATLAS.model_title;
$("dead-label").hidden = !units.some((unit) => unit.dead);
if (innerWidth < 600) grid.size = Number(($("size").value = 96));
// A browser that goes back keeps what was typed.
Object.assign(asked, { text: $("search").value, sort: $("sort").value, hideDead: $("dead").checked });
showLayers();
listen();
search();
followLink();
