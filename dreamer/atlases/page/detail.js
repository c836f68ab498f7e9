// One unit in large, in a dialog: its pictures, the photos that excite it, and how to dream with it.
"use strict";

class Detail {
  /** dialog: the element. step(by): goes to a neighbour. isChosen, onChoose: of the mix. onClose: with the unit. */
  constructor(dialog, { step, isChosen, onChoose, onClose }) {
    Object.assign(this, { dialog, step, isChosen, onChoose });
    dialog.addEventListener("close", () => onClose(this.unit));
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
    dialog.addEventListener("keydown", (event) => this.pressed(event));
  }

  /** Show a unit; where says which of how many it is. */
  show(unit, where) {
    this.unit = unit;
    const focused = this.dialog.contains(document.activeElement) ? document.activeElement.dataset.keeps : null;
    this.dialog.replaceChildren(this.head(where), this.body());
    if (!this.dialog.open) this.dialog.showModal();
    this.dialog.scrollTop = 0;
    (this.dialog.querySelector(`[data-keeps="${focused ?? "next"}"]`) ?? this.dialog).focus();
  }

  head(where) {
    const { unit } = this;
    const move = (name, sign, by) =>
      element("button", { type: "button", "data-keeps": name, "aria-label": `${name} unit`, onclick: () => this.step(by) }, sign);
    return element(
      "header",
      {},
      element("h2", { id: "unit-title" }, titleOf(unit)),
      element("span", { class: "faint" }, where),
      move("previous", "←", -1),
      move("next", "→", 1),
      element("button", { type: "button", "data-keeps": "close", "aria-label": "Close", onclick: () => this.dialog.close() }, "✕"),
    );
  }

  body() {
    const { unit } = this;
    this.large = element("figure", { class: "large" });
    this.select(unit.pictures[0]);
    return element(
      "div",
      { class: "unit" },
      element("div", {}, this.large, this.variants()),
      element("div", { class: "words" }, this.facts(), this.chooser(), ...this.uses(), this.examples()),
    );
  }

  select(picture) {
    const { unit } = this;
    const shown = pictureOf(unit, picture);
    if (shown.alt === "") shown.alt = `${titleOf(unit)}: ${captionOf(unit, picture)}`;
    const text = picture.dead ? "the score did not rise: there is nothing it answers to" : captionOf(unit, picture);
    this.large.replaceChildren(shown, element("figcaption", { class: "faint" }, `${text}; score ${scoreOf(picture)}`));
    for (const button of this.dialog.querySelectorAll(".variants button"))
      button.setAttribute("aria-pressed", String(button.dataset.file === picture.file));
  }

  variants() {
    const { unit } = this;
    if (unit.pictures.length < 2) return null;
    const buttons = unit.pictures.map((picture, place) =>
      element(
        "button",
        { type: "button", "data-file": picture.file, "aria-pressed": String(place === 0), "aria-label": captionOf(unit, picture), onclick: () => this.select(picture) },
        pictureOf(unit, picture),
      ),
    );
    return element("div", { class: "variants", role: "group", "aria-label": "Pictures" }, ...buttons);
  }

  facts() {
    const { unit } = this;
    const fact = (name, ...value) => element("div", {}, element("dt", {}, name), element("dd", {}, ...value));
    const link = element("a", { href: hashOf(unit) }, hashOf(unit));
    return element(
      "dl",
      { class: "facts" },
      unit.isClass ? fact("class", unit.name) : null,
      fact("layer", unit.layer),
      fact(unit.isClass ? "number" : "channel", String(unit.index)),
      fact("score", `${scoreOf(unit.pictures[0])}, from ${numberOf(unit.pictures[0].start)} for noise`),
      unit.drawn ? fact("drawn", unit.drawn) : null,
      fact("link", link),
    );
  }

  chooser() {
    const isChosen = this.isChosen(this.unit);
    const button = element("button", { type: "button", class: "choose", "data-keeps": "choose", "aria-pressed": String(isChosen) });
    button.textContent = isChosen ? "In the mix" : "Add to the mix";
    button.addEventListener("click", () => {
      this.onChoose(this.unit);
      button.replaceWith(this.chooser());
      this.dialog.querySelector(".choose").focus();
    });
    return button;
  }

  uses() {
    const { objective } = this.unit;
    return [
      copyable("Command", commandFor(objective, ATLAS)),
      copyable("Preset", presetFor(objective, titleOf(this.unit), ATLAS)),
    ];
  }

  examples() {
    const { unit } = this;
    if (unit.examples.length === 0) return null;
    const shown = unit.examples.map((example) => element("li", {}, exampleOf(example)));
    return element("div", {}, element("h3", {}, "Photos that excite it"), element("ul", { class: "examples" }, ...shown));
  }

  pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("pre")) return;
    if (event.key === "ArrowLeft") this.step(-1);
    else if (event.key === "ArrowRight") this.step(1);
    else if (event.key === "x") this.dialog.querySelector(".choose").click();
    else return;
    event.preventDefault();
  }
}

/** What a picture of a unit shows, in a few words. */
function captionOf(unit, picture) {
  const what = picture.negative ? "answers to least" : "answers to most";
  const count = unit.pictures.filter((one) => one.negative === picture.negative).length;
  return count > 1 ? `${what}, ${picture.variant + 1} of ${count}` : what;
}

function numberOf(value) {
  return String(Number(value.toPrecision(4))).replace("-", "−");
}

/** The score of a picture; that of the opposite is the unit's own with another sign. */
function scoreOf(picture) {
  return numberOf(picture.negative ? -picture.score : picture.score);
}

/** What a unit saw of a photo: a window onto the photo, which is one file however many units it excites. */
function exampleOf({ photo, score, box: [top, left, height, width] }) {
  const { file, name } = ATLAS.photos[photo];
  const image = element("img", { src: addressOf(file), alt: `${name}, score ${numberOf(score)}`, title: name, loading: "lazy" });
  const isWhole = height === 1 && width === 1;
  if (!isWhole) {
    image.style.width = `${100 / width}%`;
    image.style.height = `${100 / height}%`;
    image.style.left = `${(-100 * left) / width}%`;
    image.style.top = `${(-100 * top) / height}%`;
  }
  return element("div", { class: isWhole ? "whole" : "part" }, image);
}
