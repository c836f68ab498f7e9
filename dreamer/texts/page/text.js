"use strict";
// The text and the names are data throughout: they are set as text, never as markup.
const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const RED = [202, 45, 45], BLUE = [35, 105, 210], TOP = 127, DARK = 0.55, LINE = 20, AHEAD = 20, WIDEST = 400;

const pieces = data.pieces || Array.from(data.text);
const values = new Map();
let unit = 0, found = [], at = -1;

// Lines as [first piece, last piece), long ones cut.
const lines = [];
{
  let start = 0, width = 0;
  pieces.forEach((piece, index) => {
    width += piece.length;
    if (piece.includes("\n") || width >= WIDEST) {
      lines.push([start, index + 1]);
      start = index + 1;
      width = 0;
    }
  });
  if (start < pieces.length) lines.push([start, pieces.length]);
}

function valuesOf(index) {
  if (!values.has(index)) {
    values.set(index, Int8Array.from(atob(data.units[index].values), (char) => char.charCodeAt(0) << 24 >> 24));
  }
  return values.get(index);
}

function lineOf(piece) {
  let low = 0, high = lines.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (lines[middle][0] <= piece) low = middle; else high = middle - 1;
  }
  return low;
}

function colour(share) {
  const end = share > 0 ? BLUE : RED;
  const parts = end.map((side) => Math.round(255 + (side - 255) * Math.abs(share)));
  return `rgb(${parts.join(",")})`;
}

function shown(piece) {
  return piece.replaceAll("\n", "\u00b6").replaceAll("\t", "\u2192   ").replaceAll("\r", "\u240d");
}

function draw() {
  const view = byId("text"), own = valuesOf(unit);
  const first = Math.max(0, Math.floor(view.scrollTop / LINE) - AHEAD);
  const last = Math.min(lines.length, Math.ceil((view.scrollTop + view.clientHeight) / LINE) + AHEAD);
  const made = document.createDocumentFragment();
  for (let line = first; line < last; line += 1) {
    const row = document.createElement("div");
    for (let piece = lines[line][0]; piece < lines[line][1]; piece += 1) {
      const span = document.createElement("span"), share = own[piece] / TOP;
      span.textContent = shown(pieces[piece]);
      span.dataset.piece = piece;
      if (share) {
        span.style.backgroundColor = colour(share);
        if (Math.abs(share) > DARK) span.style.color = "#fff";
      }
      if (piece === at) span.className = "found";
      row.append(span);
    }
    made.append(row);
  }
  const seen = byId("seen");
  seen.style.top = `${first * LINE}px`;
  seen.replaceChildren(made);
}

function goTo(piece) {
  at = piece;
  const view = byId("text");
  view.scrollTop = Math.max(0, lineOf(piece) * LINE - view.clientHeight / 2);
  draw();
}

function choose(index) {
  unit = index;
  at = -1;
  const own = data.units[unit];
  byId("unit").textContent = `${data.layer}:${own.unit}, ${data.show}${own.follows ? `: ${own.follows}` : ""}`;
  for (const button of byId("units").querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(Number(button.dataset.index) === unit));
  }
  byId("examples").replaceChildren(...own.examples.map(example));
  draw();
}

function example(place) {
  const item = document.createElement("li"), button = document.createElement("button"), mark = document.createElement("mark");
  const around = (from, to) => pieces.slice(Math.max(0, from), to).map(shown).join("");
  mark.textContent = shown(pieces[place]);
  const value = document.createElement("small");
  value.textContent = ` ${number(place)}`;
  button.append(around(place - 30, place), mark, around(place + 1, place + 21), value);
  button.addEventListener("click", () => goTo(place));
  item.append(button);
  return item;
}

function number(piece) {
  return ((valuesOf(unit)[piece] / TOP) * data.scale).toFixed(2);
}

function list() {
  const words = byId("find-unit").value.trim().toLowerCase();
  const items = [];
  data.units.forEach((own, index) => {
    if (words && !`${own.unit} ${own.follows}`.toLowerCase().includes(words)) return;
    const item = document.createElement("li"), button = document.createElement("button"), more = document.createElement("small");
    button.textContent = `${data.layer}:${own.unit}`;
    more.textContent = own.follows || `varies by ${own.deviation.toFixed(2)}`;
    button.append(more);
    button.dataset.index = index;
    button.setAttribute("aria-pressed", String(index === unit));
    button.addEventListener("click", () => choose(index));
    item.append(button);
    items.push(item);
  });
  byId("units").replaceChildren(...items);
}

function searchText(next) {
  const words = byId("find-text").value;
  if (!words) return;
  const starts = pieceAt();
  const from = next && found.length ? found[0] + 1 : 0;
  let place = data.text.indexOf(words, from);
  if (place < 0) place = data.text.indexOf(words);
  byId("value").textContent = place < 0 ? "not there" : "";
  if (place < 0) return;
  found = [place];
  goTo(starts(place));
}

// From a place in the text to the piece that it lies in; characters beyond the first 65,536 take two places.
function pieceAt() {
  const starts = [];
  let place = 0;
  for (const piece of pieces) {
    starts.push(place);
    place += piece.length;
  }
  return (wanted) => {
    let low = 0, high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle] <= wanted) low = middle; else high = middle - 1;
    }
    return low;
  };
}

function nextStrong() {
  const own = valuesOf(unit);
  let most = 1;
  for (const value of own) most = Math.max(most, Math.abs(value));
  for (let step = 1; step <= pieces.length; step += 1) {
    const piece = (Math.max(at, 0) + step) % pieces.length;
    const before = piece ? Math.abs(own[piece - 1]) : 0;
    if (Math.abs(own[piece]) >= 0.8 * most && before < 0.8 * most) {
      goTo(piece);
      return;
    }
  }
}

function turn(by) {
  const buttons = [...byId("units").querySelectorAll("button")];
  const place = buttons.findIndex((button) => Number(button.dataset.index) === unit);
  const next = buttons[Math.min(Math.max(place + by, 0), buttons.length - 1)];
  if (next) {
    choose(Number(next.dataset.index));
    next.scrollIntoView({ block: "nearest" });
  }
}

byId("title").textContent = data.title;
document.title = data.title;
byId("about").textContent = `${pieces.length.toLocaleString("en")} steps, ${data.units.length} units. White is 0, blue above, ` +
  `red below; the strongest is ${data.scale.toFixed(2)}.`;
byId("all").style.height = `${lines.length * LINE}px`;
byId("text").addEventListener("scroll", () => requestAnimationFrame(draw), { passive: true });
byId("text").addEventListener("mouseover", (event) => {
  const piece = event.target.dataset ? event.target.dataset.piece : undefined;
  byId("value").textContent = piece === undefined ? "" : number(Number(piece));
});
addEventListener("resize", draw);
byId("find-unit").addEventListener("input", list);
byId("find-text").addEventListener("input", () => { found = []; searchText(false); });
byId("find-text").addEventListener("keydown", (event) => { if (event.key === "Enter") searchText(true); });
document.addEventListener("keydown", (event) => {
  if (event.target.tagName === "INPUT" || event.ctrlKey || event.metaKey || event.altKey) return;
  const keys = { j: () => turn(1), k: () => turn(-1), n: nextStrong, "/": () => byId("find-text").focus() };
  if (keys[event.key]) {
    event.preventDefault();
    keys[event.key]();
  }
});
list();
choose(0);
