"use strict";
// A map of cells: one picture for each level, drawn on a canvas, and what is in a cell beside it.
//
// Names of photos and classes are data throughout: they are set as text, never as markup. The map is the square from
// 0 to 1 both ways; a view says which of its points lies in the middle of the canvas, and how many CSS pixels it is wide.
const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const BEST_ICON = 96; // CSS pixels: what a person sees well.
const CLOSEST = 2.5; // Times that, icons of the finest level are blurred.
const MARGIN = 0.94; // Of the canvas, for the whole map.
const TAP = 6; // CSS pixels that a finger or a mouse may slip.
const PIN = 22; // CSS pixels, the radius of a pin's picture.
const GAP = 0.03, CORNER = 0.09; // Of a cell's side.
const FLIGHT = 320, FADE = 160, STILL = 120; // Milliseconds.
const calm = matchMedia("(prefers-reduced-motion: reduce)");

/* Values. */

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** The address of a file beside this page. Half a surrogate pair, from a name that is no UTF-8, has none. */
function addressOf(path) {
  const whole = path.replace(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g, "\uFFFD");
  return whole.split("/").map(encodeURIComponent).join("/");
}

/** What a class is called, whole, and by the first of its names. */
const classOf = (index) => (Object.hasOwn(data.classes, index) ? data.classes[index] : `class ${index}`);
const titleOf = (index) => classOf(index).split(", ")[0];
const counted = (number, word) => `${number.toLocaleString("en")} ${word}${number === 1 ? "" : "s"}`;
const valueOf = (number) => Number(number.toPrecision(3)).toLocaleString("en", { maximumSignificantDigits: 3 });
const within = (low, value, high) => Math.min(Math.max(value, low), high);

function levelOf(given) {
  const side = 1 / given.grid;
  const cells = given.cells.map((cell) => ({ ...cell, x: (cell.column + 0.5) * side, y: (cell.row + 0.5) * side }));
  const level = { ...given, side, cells, sheet: null, address: addressOf(given.sheet) };
  level.byPlace = new Map(cells.map((cell) => [cell.row * given.grid + cell.column, cell]));
  for (const cell of cells) cell.level = level;
  return level;
}

/** The cell of a level at a point of the map, if one is there. */
function cellAt(level, x, y) {
  const column = Math.floor(x * level.grid), row = Math.floor(y * level.grid);
  if (column < 0 || row < 0 || column > level.grid || row > level.grid) return undefined;
  // What lies on the far edge belongs to the last cell.
  return level.byPlace.get(Math.min(row, level.grid - 1) * level.grid + Math.min(column, level.grid - 1));
}

const levels = data.levels.map(levelOf).sort((one, other) => one.grid - other.grid);
const isEmpty = levels.every((level) => level.cells.length === 0);
const spots = Float64Array.from(data.at.flatMap(([x, y]) => [x, y]));
const pins = data.placed.flatMap((photo) => photo.at.map(([x, y], place) => ({ photo, place, x, y })));

/* State. */

const canvas = byId("canvas"), brush = canvas.getContext("2d"), map = byId("map");
const view = { x: 0.5, y: 0.5, scale: 1 };
const size = { width: 1, height: 1, density: 1 };
let level = levels[0], fading = null, chosen = null, pinned = null, hovered = null, flight = null, isDue = false;
let wanted = null; // What is looked for: {text, values: from cells of this level to how well they fit}.
let moved = 0, rest = 0; // When the view changed last, and the timer of the drawing after that.
let held = null; // A level that was asked for; on a large screen none of its icons may have the best size.
let best = -1; // Which of the cells found was gone to last.
let colours = {}, specks = null;
const pictures = new Map(); // Of pins, by address.

const farthest = () => MARGIN * Math.min(size.width, size.height);
const closest = () => Math.max(farthest(), CLOSEST * BEST_ICON * (levels.at(-1)?.grid ?? 1));
const toX = (x) => (x - view.x) * view.scale + size.width / 2;
const toY = (y) => (y - view.y) * view.scale + size.height / 2;
const fromX = (left) => (left - size.width / 2) / view.scale + view.x;
const fromY = (top) => (top - size.height / 2) / view.scale + view.y;
const scaleFor = (one) => within(farthest(), BEST_ICON * one.grid, closest());

/* Drawing. */

function draw() {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame((now) => {
    isDue = false;
    fly(now);
    paint(now);
  });
}

function paint(now) {
  brush.setTransform(size.density, 0, 0, size.density, 0, 0);
  brush.clearRect(0, 0, size.width, size.height);
  if (!level) return;
  // What moves need not be as fine, and what is fine takes a machine without a graphics card four times as long.
  const isMoving = now - moved < STILL;
  brush.imageSmoothingQuality = isMoving ? "low" : "high";
  clearTimeout(rest);
  if (isMoving) rest = setTimeout(draw, STILL);
  const share = fading ? within(0, (now - fading.since) / FADE, 1) : 1;
  if (fading && share < 1) {
    paintLevel(fading.level, 1 - share, null);
    draw();
  } else fading = null;
  paintLevel(level, share, wanted);
  if (hovered && hovered !== chosen && hovered.level === level) ring(hovered, 2, colours.faint);
  if (chosen) ring(chosen, 3, colours.accent);
  if (byId("points").checked) paintPoints();
  for (const pin of pins) if (!isPinned(pin)) paintPin(pin, 1);
  for (const pin of pins) if (isPinned(pin)) paintPin(pin, 1.25);
}

const isPinned = (pin) => pinned !== null && pinned.photo === pin.photo && pinned.place === pin.place;

/** The part of a level that is in view, as one picture; what is not looked for is faint. */
function paintLevel(one, share, sought) {
  brush.globalAlpha = sought ? 0.16 * share : share;
  if (one.sheet) paintPart(one, fromX(0), fromY(0), fromX(size.width), fromY(size.height));
  else for (const cell of one.cells) blank(cell);
  brush.globalAlpha = share;
  for (const cell of sought?.values.keys() ?? []) {
    if (one.sheet) paintPart(one, cell.x - one.side / 2, cell.y - one.side / 2, cell.x + one.side / 2, cell.y + one.side / 2);
    ring(cell, 2, colours.accent);
  }
  brush.globalAlpha = 1;
}

/** A rectangle of the map from the sheet of a level. */
function paintPart(one, left, top, right, bottom) {
  [left, top, right, bottom] = [left, top, right, bottom].map((edge) => within(0, edge, 1));
  const width = right - left, height = bottom - top, { sheet } = one;
  if (width <= 0 || height <= 0) return;
  brush.drawImage(
    sheet, left * sheet.width, top * sheet.height, width * sheet.width, height * sheet.height,
    toX(left), toY(top), width * view.scale, height * view.scale,
  );
}

function outline(cell, room) {
  const side = cell.level.side * view.scale, gap = GAP * side - room;
  brush.beginPath();
  brush.roundRect(
    toX(cell.x) - side / 2 + gap, toY(cell.y) - side / 2 + gap, side - 2 * gap, side - 2 * gap, CORNER * side + room,
  );
}

function ring(cell, width, colour) {
  outline(cell, width / 2);
  brush.lineWidth = width;
  brush.strokeStyle = colour;
  brush.stroke();
}

/** What stands for an icon until its sheet is here. */
function blank(cell) {
  outline(cell, 0);
  brush.fillStyle = colours.sunken;
  brush.fill();
}

/** All points, set pixel by pixel: a hundred thousand calls of the canvas would take half a second. */
function paintPoints() {
  const { layer, pen, image, pixels, room, parts } = specks, { width, height } = layer, { density } = size;
  pixels.fill(0);
  // All rims first, so that none hides a point.
  for (const { offsets, colour } of parts) {
    for (let place = 0; place < spots.length; place += 2) {
      const left = Math.round(toX(spots[place]) * density), top = Math.round(toY(spots[place + 1]) * density);
      if (left < room || top < room || left >= width - room || top >= height - room) continue;
      const middle = top * width + left;
      for (const offset of offsets) pixels[middle + offset] = colour;
    }
  }
  pen.putImageData(image, 0, 0);
  brush.drawImage(layer, 0, 0, size.width, size.height);
}

/** What points are set with: a layer as large as the canvas, and the pixels of a point and its rim. */
function makeSpecks() {
  const layer = element("canvas");
  Object.assign(layer, { width: canvas.width, height: canvas.height });
  const pen = layer.getContext("2d"), image = pen.createImageData(layer.width, layer.height);
  const core = 1.75 * size.density, room = Math.ceil(core + size.density), rim = [], inner = [];
  for (let y = -room; y <= room; y += 1) {
    for (let x = -room; x <= room; x += 1) {
      const far = Math.hypot(x, y);
      if (far <= core) inner.push(y * layer.width + x);
      else if (far <= core + size.density) rim.push(y * layer.width + x);
    }
  }
  const parts = [{ offsets: rim, colour: asPixel(colours.raised) }, { offsets: inner, colour: asPixel(colours.dot) }];
  return { layer, pen, image, pixels: new Uint32Array(image.data.buffer), room, parts };
}

/** A colour as #rrggbb as a pixel of a canvas, which begins with red wherever there are browsers. */
function asPixel(colour) {
  const [red, green, blue] = [1, 3, 5].map((start) => parseInt(colour.slice(start, start + 2), 16));
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

/** A round picture that stands on its place. */
function paintPin(pin, grown) {
  const x = toX(pin.x), y = toY(pin.y), radius = PIN * grown, middle = y - radius - 9;
  const picture = pictures.get(pin.photo);
  brush.fillStyle = colours.accent;
  brush.beginPath();
  brush.moveTo(x - 6, middle + radius - 1);
  brush.lineTo(x, y);
  brush.lineTo(x + 6, middle + radius - 1);
  brush.arc(x, middle, radius + 3, Math.PI / 2 - 0.2, Math.PI / 2 + 0.2, true);
  brush.fill();
  brush.save();
  brush.beginPath();
  brush.arc(x, middle, radius, 0, 2 * Math.PI);
  brush.fillStyle = colours.raised;
  brush.fill();
  brush.clip();
  if (picture?.naturalWidth) {
    const side = Math.min(picture.naturalWidth, picture.naturalHeight);
    const left = (picture.naturalWidth - side) / 2, top = (picture.naturalHeight - side) / 2;
    brush.drawImage(picture, left, top, side, side, x - radius, middle - radius, 2 * radius, 2 * radius);
  }
  brush.restore();
}

/** A level's sheet with rounded icons and gaps between them, cut once, so that a frame is one picture. */
function cut(one, picture) {
  const sheet = element("canvas");
  sheet.width = picture.naturalWidth;
  sheet.height = picture.naturalHeight;
  const scissors = sheet.getContext("2d"), side = sheet.width / one.grid;
  scissors.beginPath();
  for (const { row, column } of one.cells) {
    const inner = side * (1 - 2 * GAP);
    scissors.roundRect((column + GAP) * side, (row + GAP) * side, inner, inner, CORNER * side);
  }
  scissors.fill();
  scissors.globalCompositeOperation = "source-in";
  scissors.drawImage(picture, 0, 0);
  one.sheet = sheet;
}

function load(one) {
  const picture = new Image();
  picture.onload = () => {
    cut(one, picture);
    draw();
    if (chosen?.level === one) for (const icon of document.querySelectorAll(".icon")) paintIcon(icon, chosen);
  };
  picture.src = one.address;
}

/* Moving. */

function move(x, y, scale) {
  view.scale = within(farthest(), scale, closest());
  view.x = within(0, x, 1);
  view.y = within(0, y, 1);
  moved = performance.now();
  settle();
  draw();
}

/** Zoom by a factor about a point of the canvas, which stays where it is. */
function zoom(factor, left = size.width / 2, top = size.height / 2) {
  const x = fromX(left), y = fromY(top), scale = within(farthest(), view.scale * factor, closest());
  flight = null;
  held = null;
  move(x - (left - size.width / 2) / scale, y - (top - size.height / 2) / scale, scale);
}

function flyTo(x, y, scale) {
  const to = { x: within(0, x, 1), y: within(0, y, 1), scale: within(farthest(), scale, closest()) };
  if (calm.matches) return move(to.x, to.y, to.scale);
  flight = { from: { ...view }, to, since: performance.now() };
  return draw();
}

function fly(now) {
  if (!flight) return;
  const share = within(0, (now - flight.since) / FLIGHT, 1), eased = 1 - (1 - share) ** 3;
  const { from, to } = flight;
  if (share === 1) flight = null;
  move(
    from.x + (to.x - from.x) * eased,
    from.y + (to.y - from.y) * eased,
    from.scale * (to.scale / from.scale) ** eased,
  );
}

const heading = () => flight?.to ?? view;

/** The level whose icons are nearest to what a person sees well. */
function levelFor(scale) {
  const far = (one) => Math.abs(Math.log(scale / one.grid / BEST_ICON));
  return levels.reduce((best, one) => (best && far(best) <= far(one) ? best : one), undefined);
}

/** Take the level that this scale, or a person, asks for. */
function settle() {
  const nearest = held ?? levelFor(view.scale);
  if (nearest === level) return;
  fading = calm.matches ? null : { level, since: performance.now() };
  level = nearest;
  hovered = null;
  showLevel();
  look();
  link();
}

function showLevel() {
  for (const button of byId("levels").children) {
    button.setAttribute("aria-pressed", String(button.textContent === String(level.grid)));
  }
}

/** Move so far that a cell is in view. */
function reveal(cell) {
  const { x, y, scale } = heading();
  const room = (length) => Math.max(0, length / 2 / scale - 0.75 * cell.level.side);
  const across = room(size.width), down = room(size.height);
  const to = { x: within(cell.x - across, x, cell.x + across), y: within(cell.y - down, y, cell.y + down) };
  if (to.x !== x || to.y !== y) flyTo(to.x, to.y, scale);
}

/* Choosing. */

/** Choose a cell, or nothing; a photo that is placed in it comes first. */
function choose(cell, pin = null) {
  chosen = cell ?? null;
  pinned = pin;
  if (chosen) reveal(chosen);
  say();
  showPanel();
  showPlaced();
  link();
  draw();
}

function summaryOf(cell) {
  const names = cell.labels.slice(0, 2).map(([index]) => titleOf(index)).join(", ");
  return `cell ${cell.row}, ${cell.column}: ${counted(cell.count, "crop")}${names ? `; ${names}` : ""}`;
}

function say() {
  const photo = pinned ? `${pinned.photo.photo}; ` : "";
  byId("said").textContent = chosen ? photo + summaryOf(chosen) : pinned ? photo : "";
}

/** The nearest cell of this level in a direction; none where there is no other. */
function beside(cell, across, down) {
  let found = null, least = Infinity;
  for (const other of level.cells) {
    const along = (other.x - cell.x) * across + (other.y - cell.y) * down;
    const aside = Math.abs((other.x - cell.x) * down) + Math.abs((other.y - cell.y) * across);
    const distance = along + 2 * aside;
    if (along > level.side / 4 && distance < least) [found, least] = [other, distance];
  }
  return found;
}

/** The cell of this level that is nearest to a point. */
function nearestTo(x, y) {
  const far = (cell) => (cell.x - x) ** 2 + (cell.y - y) ** 2;
  return level.cells.reduce((best, cell) => (best && far(best) <= far(cell) ? best : cell), null);
}

function step(key) {
  if (!level?.cells.length) return;
  const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const { cells } = level, last = cells.length - 1;
  const from = chosen?.level === level ? chosen : null;
  const start = from ?? nearestTo(chosen?.x ?? heading().x, chosen?.y ?? heading().y);
  const place = cells.indexOf(start);
  if (key === "Home") choose(cells[0]);
  else if (key === "End") choose(cells[last]);
  // The first press chooses where one is.
  else if (!from) choose(start);
  else if (key === "PageUp") choose(cells[Math.max(0, place - 1)]);
  else if (key === "PageDown") choose(cells[Math.min(last, place + 1)]);
  else choose(beside(from, ...ways[key]) ?? from);
}

/* The panel. */

function showPanel() {
  const parts = [];
  if (pinned) parts.push(photoPart(pinned));
  if (chosen) parts.push(cellPart(chosen, pinned ? "h3" : "h2"));
  if (!parts.length) {
    parts.push(
      element("h2", { id: "panel-title" }, isEmpty ? "Nothing to see" : "Choose a cell"),
      element("p", { class: "faint" }, isEmpty
        ? "No cell holds enough points. More photos make a map."
        : "Each picture shows what a heap of alike crops of the photos has in common. Zoom in for more of them."),
    );
  }
  byId("panel").replaceChildren(...parts);
  // What was read last is no place to begin reading.
  document.querySelector("aside").scrollTop = 0;
}

function cellPart(cell, heading) {
  const icon = element("canvas", { class: "icon", role: "img", "aria-label": "Icon of the cell" });
  icon.width = icon.height = 224;
  paintIcon(icon, cell);
  const title = heading === "h2" ? { id: "panel-title" } : {};
  const names = cell.labels.slice(0, 1).map(([index]) => titleOf(index));
  return element(
    "div",
    { class: "cell" },
    element(
      "div",
      { class: "head" },
      icon,
      element(
        "div",
        {},
        element(heading, title, names[0] ?? `Cell ${cell.row}, ${cell.column}`),
        element("p", { class: "faint" }, counted(cell.count, "crop")),
        element("p", { class: "faint" }, `cell ${cell.row}, ${cell.column} of ${cell.level.grid} × ${cell.level.grid}`),
      ),
    ),
    cell.labels.length ? labelsPart(cell) : null,
    cropsPart("Nearest crops", cell.photos),
  );
}

function paintIcon(icon, cell) {
  const { sheet, grid } = cell.level;
  if (!sheet) return;
  const side = sheet.width / grid, inner = side * (1 - 2 * GAP), pen = icon.getContext("2d");
  pen.imageSmoothingQuality = "high";
  pen.drawImage(sheet, (cell.column + GAP) * side, (cell.row + GAP) * side, inner, inner, 0, 0, icon.width, icon.height);
}

function labelsPart(cell) {
  const most = Math.max(...cell.labels.map(([, value]) => Math.abs(value))) || 1;
  const rows = cell.labels.map(([index, value]) => {
    const [first, ...others] = classOf(index).split(", ");
    const bar = element("span", { class: value < 0 ? "bar below" : "bar", "aria-hidden": "true" });
    bar.style.width = `${(100 * Math.abs(value)) / most}%`;
    return element(
      "li",
      {},
      element("span", { class: "name" }, first, element("span", { class: "faint" }, others.length ? `, ${others.join(", ")}` : "")),
      element("span", { class: "value" }, valueOf(value)),
      bar,
    );
  });
  return element("div", {}, element("h3", {}, "Classes, by mean attribution"), element("ol", { class: "labels" }, ...rows));
}

function cropsPart(title, crops) {
  if (!crops.length) return null;
  const figures = crops.map(({ photo, crop }) =>
    element(
      "li",
      {},
      element(
        "figure",
        { title: photo },
        element("img", { src: addressOf(crop), alt: "", loading: "lazy", decoding: "async" }),
        element("figcaption", {}, photo),
      ),
    ),
  );
  return element("div", {}, element("h3", {}, title), element("ul", { class: "crops" }, ...figures));
}

function photoPart(pin) {
  const { photo } = pin;
  const places = photo.at.map((_, place) =>
    element(
      "button",
      { type: "button", "aria-pressed": String(place === pin.place), "aria-label": `Place ${place + 1}`, onclick: () => goToPin(photo, place) },
      String(place + 1),
    ),
  );
  return element(
    "div",
    { class: "cell" },
    element(
      "div",
      { class: "head" },
      element("img", { src: addressOf(photo.crop), alt: "" }),
      element(
        "div",
        {},
        element("h2", { id: "panel-title" }, photo.photo),
        element("p", { class: "faint" }, `lies at ${counted(photo.at.length, "place")}`),
        places.length > 1 ? element("div", { class: "places", role: "group", "aria-label": "Places" }, ...places) : null,
      ),
    ),
    cropsPart("Most alike", photo.near),
  );
}

function showPlaced() {
  [...byId("placed-list").children].forEach((item, index) =>
    item.firstChild.setAttribute("aria-pressed", String(pinned?.photo === data.placed[index])),
  );
}

/** Go to a place of a photo; close enough that the second level is seen. */
function goToPin(photo, place) {
  const at = photo.at[place];
  if (!at) return;
  const keeps = document.activeElement?.getAttribute("aria-label");
  const scale = Math.max(heading().scale, scaleFor(levels[Math.min(1, levels.length - 1)] ?? { grid: 1 }));
  flyTo(at[0], at[1], scale);
  const seen = held ?? levelFor(scale);
  choose(seen && cellAt(seen, ...at), { photo, place });
  // The buttons of the panel are new ones.
  if (keeps?.startsWith("Place ")) document.querySelector(`.places [aria-label="${keeps}"]`)?.focus();
}

/* Looking for something. */

const wordsOf = (text) => text.toLowerCase().split(/[^\p{L}\p{N}]+/u).filter(Boolean);

/** Which classes are meant: those with the words whole, or else those with words that begin so. */
function classesFor(text) {
  const words = wordsOf(text);
  if (!words.length) return [];
  const known = Object.keys(data.classes).map((index) => [Number(index), wordsOf(data.classes[index])]);
  const having = (fits) => known.filter(([, names]) => words.every((word) => names.some((name) => fits(name, word))));
  const whole = having((name, word) => name === word);
  return (whole.length ? whole : having((name, word) => name.startsWith(word))).map(([index]) => index);
}

/** How well each cell of a level fits, for those that do, best first. */
function fitting(one, text) {
  const classes = new Set(classesFor(text)), found = new Map();
  for (const cell of one.cells) {
    const values = cell.labels.filter(([index]) => classes.has(index)).map(([, value]) => value);
    if (values.length) found.set(cell, Math.max(...values));
  }
  if (!classes.size) for (const cell of cellsOfPhotos(one, text)) found.set(cell, (found.get(cell) ?? 0) + 1);
  return new Map([...found].sort((first, second) => second[1] - first[1]));
}

/** The cell of every point of the photos whose name holds a text. */
function cellsOfPhotos(one, text) {
  const isMeant = data.names.map((name) => name.toLowerCase().includes(text));
  return data.at.filter(([, , photo]) => isMeant[photo]).map(([x, y]) => cellAt(one, x, y)).filter(Boolean);
}

function look() {
  const text = byId("search").value.trim().toLowerCase();
  wanted = text && level ? { text, values: fitting(level, text) } : null;
  best = -1;
  byId("found").textContent = wanted ? tell() : "";
  draw();
}

function tell() {
  const { text, values } = wanted;
  const where = `at ${level.grid} × ${level.grid}`;
  if (values.size) {
    const names = classesFor(text).filter((index) => [...values.keys()].some((cell) => cell.labels.some(([one]) => one === index)));
    const named = names.slice(0, 3).map(titleOf).join(", ") + (names.length > 3 ? ", …" : "");
    return `${counted(values.size, "cell")} ${where}${named ? `: ${named}` : ""}`;
  }
  const elsewhere = levels.find((one) => one !== level && fitting(one, text).size);
  if (!elsewhere) return "No cell speaks for that.";
  return `No cell ${where}; ${counted(fitting(elsewhere, text).size, "cell")} at ${elsewhere.grid} × ${elsewhere.grid}`;
}

/** Go to the best cell found, then to the next ones; where this level has none, to the best of another. */
function goToFound() {
  if (!wanted) return;
  if (!wanted.values.size) {
    const elsewhere = levels.find((one) => fitting(one, wanted.text).size);
    if (elsewhere) goTo(fitting(elsewhere, wanted.text).keys().next().value);
    return;
  }
  const found = [...wanted.values.keys()];
  best = (best + 1) % found.length;
  choose(found[best]);
}

/** Go to a cell at the scale of its level. */
function goTo(cell) {
  held = cell.level;
  flyTo(cell.x, cell.y, scaleFor(cell.level));
  choose(cell);
}

/** Show a level about the middle of what is seen. */
function showAt(one) {
  held = one;
  flyTo(heading().x, heading().y, scaleFor(one));
  settle();
}

/* The link: #level, or #level/row,column. */

function link() {
  if (!level) return;
  const hash = chosen ? `#${chosen.level.grid}/${chosen.row},${chosen.column}` : `#${level.grid}`;
  if (location.hash !== hash) history.replaceState(null, "", hash);
}

function follow() {
  const parts = /^#(\d+)(?:\/(\d+),(\d+))?$/.exec(location.hash);
  const one = parts && levels.find((known) => known.grid === Number(parts[1]));
  if (!one) return;
  const cell = parts[2] && one.cells.find(({ row, column }) => row === Number(parts[2]) && column === Number(parts[3]));
  flight = null;
  held = one;
  move(cell?.x ?? view.x, cell?.y ?? view.y, scaleFor(one));
  choose(cell);
}

/* Hands. */

const fingers = new Map();
let slipped = 0, pinch = null;

function placeOf(event) {
  const { left, top } = map.getBoundingClientRect();
  return { x: event.clientX - left, y: event.clientY - top };
}

function pinAt({ x, y }) {
  return pins.findLast((pin) => Math.hypot(toX(pin.x) - x, toY(pin.y) - PIN - 9 - y) <= PIN + 3);
}

function spreadOf() {
  const [one, other] = [...fingers.values()];
  return { far: Math.hypot(one.x - other.x, one.y - other.y), x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 };
}

function pressed(event) {
  if (event.button !== 0) return;
  map.setPointerCapture(event.pointerId);
  if (!fingers.size) slipped = 0;
  fingers.set(event.pointerId, placeOf(event));
  pinch = fingers.size === 2 ? spreadOf() : null;
}

function dragged(event) {
  const before = fingers.get(event.pointerId), now = placeOf(event);
  if (!before) return hover(now);
  fingers.set(event.pointerId, now);
  slipped += Math.hypot(now.x - before.x, now.y - before.y);
  if (slipped < TAP) return undefined;
  map.classList.add("moving");
  flight = null;
  if (!pinch) return move(view.x - (now.x - before.x) / view.scale, view.y - (now.y - before.y) / view.scale, view.scale);
  const spread = spreadOf();
  move(view.x - (spread.x - pinch.x) / view.scale, view.y - (spread.y - pinch.y) / view.scale, view.scale);
  if (pinch.far > 0) zoom(spread.far / pinch.far, spread.x, spread.y);
  pinch = spread;
  return undefined;
}

function released(event) {
  if (!fingers.delete(event.pointerId)) return;
  pinch = null;
  map.classList.remove("moving");
  if (fingers.size || slipped >= TAP || event.type === "pointercancel") return;
  const at = placeOf(event), pin = pinAt(at);
  if (pin) choose(level && cellAt(level, pin.x, pin.y), pin);
  else if (level) choose(cellAt(level, fromX(at.x), fromY(at.y)));
}

function hover(at) {
  const cell = level && cellAt(level, fromX(at.x), fromY(at.y)), pin = pinAt(at);
  map.classList.toggle("over", Boolean(cell || pin));
  const name = pin ? pin.photo.photo : nameAt(at) ?? (cell?.labels.length ? cell.labels.slice(0, 2).map(([index]) => titleOf(index)).join(", ") : null);
  byId("hint").hidden = name === null;
  byId("hint").textContent = name ?? "";
  if (cell === hovered) return;
  hovered = cell;
  draw();
}

/** The photo of the point under the mouse, while points are shown. */
function nameAt({ x, y }) {
  if (!byId("points").checked) return null;
  const found = data.at.find((point) => Math.hypot(toX(point[0]) - x, toY(point[1]) - y) < 4);
  return found ? data.names[found[2]] : null;
}

function turned(event) {
  event.preventDefault();
  // A wheel counts in pixels, lines or pages; two fingers on a pad come as small steps with the control key.
  const unit = [1, 16, 400][event.deltaMode] * (event.ctrlKey ? 5 : 1), at = placeOf(event);
  zoom(Math.exp(-within(-250, event.deltaY * unit, 250) * 0.002), at.x, at.y);
}

function typed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const { x, y, scale } = heading();
  if (event.key in ways && event.shiftKey) flyTo(x + (ways[event.key][0] * 120) / scale, y + (ways[event.key][1] * 120) / scale, scale);
  else if (event.key in ways || ["Home", "End", "PageUp", "PageDown"].includes(event.key)) step(event.key);
  else if (event.key === "+" || event.key === "=") nearer(1.5);
  else if (event.key === "-" || event.key === "_") nearer(1 / 1.5);
  else if (event.key === "0") whole();
  else if (event.key === "Escape") choose(null);
  else if (event.key === "Enter" && chosen) byId("panel").focus();
  else return;
  event.preventDefault();
}

/** Zoom about the chosen cell where it is in view, or the middle. */
function nearer(factor) {
  const { x, y, scale } = heading(), to = within(farthest(), scale * factor, closest());
  const isSeen = chosen && Math.abs(chosen.x - x) * scale < size.width / 2 && Math.abs(chosen.y - y) * scale < size.height / 2;
  const about = isSeen ? chosen : { x, y };
  held = null;
  flyTo(about.x + ((x - about.x) * scale) / to, about.y + ((y - about.y) * scale) / to, to);
}

function whole() {
  held = null;
  flyTo(0.5, 0.5, farthest());
}

/* The beginning. */

function resize() {
  const { width, height } = map.getBoundingClientRect(), isWhole = view.scale <= farthest() + 1;
  Object.assign(size, { width: Math.max(1, width), height: Math.max(1, height), density: Math.min(devicePixelRatio || 1, 2) });
  canvas.width = Math.round(size.width * size.density);
  canvas.height = Math.round(size.height * size.density);
  specks = makeSpecks();
  move(view.x, view.y, isWhole ? farthest() : view.scale);
}

function repaint() {
  const style = getComputedStyle(document.documentElement);
  colours = Object.fromEntries(["ground", "raised", "sunken", "faint", "accent", "dot"].map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
  specks = makeSpecks();
  draw();
}

function listen() {
  map.addEventListener("pointerdown", pressed);
  map.addEventListener("pointermove", dragged);
  map.addEventListener("pointerup", released);
  map.addEventListener("pointercancel", released);
  map.addEventListener("pointerleave", () => hover({ x: -1e6, y: -1e6 }));
  map.addEventListener("wheel", turned, { passive: false });
  map.addEventListener("keydown", typed);
  byId("panel").addEventListener("keydown", (event) => event.key === "Escape" && map.focus());
  byId("closer").addEventListener("click", () => nearer(1.5));
  byId("farther").addEventListener("click", () => nearer(1 / 1.5));
  byId("whole").addEventListener("click", whole);
  byId("points").addEventListener("change", draw);
  byId("search").addEventListener("input", look);
  byId("search").addEventListener("keydown", (event) => {
    if (event.key === "Enter") goToFound();
    else if (event.key === "Escape") map.focus();
  });
  addEventListener("hashchange", follow);
  addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.target.closest("input")) return;
    event.preventDefault();
    byId("search").focus();
  });
  new ResizeObserver(resize).observe(map);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
}

function begin() {
  document.title = `Map of ${data.title}`;
  byId("title").textContent = data.title;
  byId("about").textContent = data.about;
  byId("none").hidden = !isEmpty;
  byId("points-label").textContent = counted(data.at.length, "point");
  byId("placed").hidden = !data.placed.length;
  const buttons = levels.map((one) =>
    element("button", { type: "button", "aria-pressed": "false", title: `${one.grid} × ${one.grid} cells`, onclick: () => showAt(one) }, String(one.grid)),
  );
  byId("levels").replaceChildren(...buttons);
  const items = data.placed.map((photo) => {
    const picture = new Image();
    picture.onload = draw;
    picture.src = addressOf(photo.crop);
    pictures.set(photo, picture);
    // Again, to the next of its places.
    const go = () => goToPin(photo, pinned?.photo === photo ? (pinned.place + 1) % photo.at.length : 0);
    return element(
      "li",
      {},
      element("button", { type: "button", "aria-pressed": "false", onclick: go }, element("img", { src: picture.src, alt: "" }), element("span", {}, photo.photo)),
    );
  });
  byId("placed-list").replaceChildren(...items);
  levels.filter((one) => one.cells.length).forEach(load);
  listen();
  repaint();
  const link = location.hash; // Taking a first level writes one.
  resize();
  if (level) showLevel();
  showPanel();
  if (link) {
    history.replaceState(null, "", link);
    follow();
  }
  // A browser that goes back keeps what was typed.
  look();
}

begin();
