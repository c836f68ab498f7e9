// The grid. Only what is in view, and a little more, is in the page: five thousand units cost what fifty do.
"use strict";

const GAP = 12;
const CAPTION = 26;
const SPARE_ROWS = 2;

class Grid {
  /**
   * root: the list. above, below: what lies over its ends. chosen: has the keys of units that are marked.
   * onOpen, onChoose: called with a unit.
   */
  constructor(root, { above, below, chosen, onOpen, onChoose }) {
    Object.assign(this, { root, above, below, chosen, onOpen, onChoose });
    this.units = [];
    this.tiles = new Map(); // From places in the list to elements.
    this.current = 0; // Where the Tab key leads, and arrows go on from.
    this.size = 128;
    this.showsLayers = false;
    root.addEventListener("keydown", (event) => this.pressed(event));
    root.addEventListener("focusin", (event) => this.focused(event));
    addEventListener("scroll", () => this.later(), { passive: true });
    new ResizeObserver(() => this.laidOut()).observe(root.parentElement);
  }

  show(units, { showsLayers }) {
    this.units = units;
    this.showsLayers = showsLayers;
    this.current = 0;
    this.clear();
    this.laidOut();
  }

  resize(size) {
    this.size = size;
    this.laidOut();
  }

  clear() {
    for (const tile of this.tiles.values()) tile.remove();
    this.tiles.clear();
  }

  laidOut() {
    const width = this.root.clientWidth;
    this.columns = Math.max(1, Math.floor((width + GAP) / (this.size + GAP)));
    // Tiles grow a little, so that rows end where the page does.
    this.side = Math.floor((width + GAP) / this.columns) - GAP;
    this.row = this.side + CAPTION + GAP;
    this.root.style.height = `${Math.ceil(this.units.length / this.columns) * this.row}px`;
    this.root.style.setProperty("--side", `${this.side}px`);
    this.render();
  }

  later() {
    this.waiting ??= requestAnimationFrame(() => {
      this.waiting = null;
      this.render();
    });
  }

  render() {
    const top = -this.root.getBoundingClientRect().top;
    const first = Math.max(0, Math.floor(top / this.row) - SPARE_ROWS) * this.columns;
    const last = (Math.ceil((top + innerHeight) / this.row) + SPARE_ROWS) * this.columns;
    const wanted = new Set([Math.min(this.current, this.units.length - 1)]); // It may have the focus.
    for (let place = first; place < Math.min(last, this.units.length); place += 1) wanted.add(place);
    for (const [place, tile] of this.tiles) {
      if (wanted.has(place)) continue;
      tile.remove();
      this.tiles.delete(place);
    }
    for (const place of wanted) if (place >= 0) this.placed(place);
  }

  placed(place) {
    let tile = this.tiles.get(place);
    if (!tile) {
      tile = this.tile(place);
      this.tiles.set(place, tile);
      // In the order of reading, for those who do not see where tiles stand.
      const next = [...this.tiles.keys()].filter((other) => other > place).reduce((a, b) => Math.min(a, b), Infinity);
      this.root.insertBefore(tile, this.tiles.get(next) ?? null);
    }
    const x = (place % this.columns) * (this.side + GAP);
    const y = Math.floor(place / this.columns) * this.row;
    tile.style.transform = `translate(${x}px, ${y}px)`;
    tile.firstElementChild.tabIndex = place === this.current ? 0 : -1;
  }

  tile(place) {
    const unit = this.units[place];
    const caption = unit.isClass ? titleOf(unit) : this.showsLayers ? unit.objective : String(unit.index);
    const link = element(
      "a",
      { href: hashOf(unit), "aria-label": unit.dead ? `${caption}, dead` : caption, title: unit.name },
      pictureOf(unit, unit.pictures[0]),
      element("span", { class: "caption" }, caption),
    );
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      this.onOpen(unit);
    });
    const mark = element(
      "button",
      { type: "button", class: "mark", tabindex: "-1", "aria-label": `Choose ${titleOf(unit)}`, onclick: () => this.onChoose(unit) },
    );
    const tile = element("li", { "aria-posinset": place + 1, "aria-setsize": this.units.length }, link, mark);
    this.marked(tile, unit);
    return tile;
  }

  marked(tile, unit) {
    const isChosen = this.chosen.has(unit.key);
    tile.classList.toggle("chosen", isChosen);
    tile.lastElementChild.setAttribute("aria-pressed", String(isChosen));
  }

  /** Show anew which units are chosen. */
  remark() {
    for (const [place, tile] of this.tiles) this.marked(tile, this.units[place]);
  }

  /** Bring a unit into view and give it the focus. */
  go(place) {
    this.current = Math.max(0, Math.min(this.units.length - 1, place));
    const top = this.root.getBoundingClientRect().top + scrollY + Math.floor(this.current / this.columns) * this.row;
    const above = this.above.offsetHeight + GAP;
    const below = this.below.offsetHeight;
    if (top < scrollY + above) scrollTo({ top: top - above });
    else if (top + this.row > scrollY + innerHeight - below) scrollTo({ top: top + this.row - innerHeight + below });
    this.render();
    this.tiles.get(this.current)?.firstElementChild.focus({ preventScroll: true });
  }

  focused(event) {
    const tile = event.target.closest("li");
    for (const [place, one] of this.tiles) if (one === tile) this.current = place;
    for (const [place, one] of this.tiles) one.firstElementChild.tabIndex = place === this.current ? 0 : -1;
  }

  pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const page = Math.max(1, Math.floor(innerHeight / this.row)) * this.columns;
    const moves = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.columns, ArrowDown: this.columns, PageUp: -page, PageDown: page };
    const ends = { Home: 0, End: this.units.length - 1 };
    if (event.key in moves) this.go(this.current + moves[event.key]);
    else if (event.key in ends) this.go(ends[event.key]);
    else if (event.key === "x") this.onChoose(this.units[this.current]);
    else return;
    event.preventDefault();
  }
}

/** A picture of a unit, or a calm tile where there is nothing to see. */
function pictureOf(unit, picture) {
  if (picture.dead) return element("span", { class: "dead" }, "dead");
  const [height, width] = ATLAS.settings.size;
  return element("img", { src: addressOf(picture.file), alt: "", loading: "lazy", decoding: "async", width, height });
}
