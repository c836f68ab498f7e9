// Units that are chosen together, with weights: the objective that mixes them.
"use strict";

class Mix {
  /** root: the section. onChange: called when units come or go. */
  constructor(root, { onChange }) {
    this.root = root;
    this.onChange = onChange;
    this.chosen = new Map(); // From keys to {unit, weight}.
  }

  has(key) {
    return this.chosen.has(key);
  }

  toggle(unit) {
    if (!this.chosen.delete(unit.key)) this.chosen.set(unit.key, { unit, weight: 1 });
    this.show();
    this.onChange();
  }

  clear() {
    this.chosen.clear();
    this.show();
    this.onChange();
  }

  show() {
    this.root.hidden = this.chosen.size === 0;
    // Room for it, so that it covers no unit at the end of the page.
    document.body.classList.toggle("mixing", !this.root.hidden);
    this.preset = element("span");
    this.command = element("div");
    this.root.replaceChildren(
      element(
        "header",
        {},
        element("h2", {}, this.chosen.size === 1 ? "1 unit chosen" : `${this.chosen.size} units mixed`),
        this.preset,
        element("button", { type: "button", onclick: () => this.clear() }, "Clear"),
      ),
      element("ul", { class: "chips" }, ...[...this.chosen.values()].map((one) => this.chip(one))),
      this.command,
    );
    this.showUses();
  }

  chip(one) {
    const { unit } = one;
    const weight = element("input", { type: "number", step: "0.1", value: one.weight, "aria-label": `Weight of ${titleOf(unit)}` });
    weight.addEventListener("input", () => {
      one.weight = Number.isFinite(weight.valueAsNumber) ? weight.valueAsNumber : 0;
      this.showUses();
    });
    return element(
      "li",
      {},
      pictureOf(unit, unit.pictures[0]),
      element("span", { class: "name" }, titleOf(unit)),
      weight,
      element("button", { type: "button", "aria-label": `Leave out ${titleOf(unit)}`, onclick: () => this.toggle(unit) }, "✕"),
    );
  }

  showUses() {
    const chosen = [...this.chosen.values()];
    const objective = mixOf(chosen);
    if (!objective) {
      this.preset.replaceChildren();
      this.command.replaceChildren(element("p", { class: "faint" }, "All weights are zero."));
      return;
    }
    const title = chosen.map(({ unit }) => titleOf(unit)).join(" + ");
    this.preset.replaceChildren(copyButton("Copy preset", "Preset", presetFor(objective, title, ATLAS)));
    this.command.replaceChildren(copyable("Command", commandFor(objective, ATLAS)));
  }
}
