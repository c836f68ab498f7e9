// Units as values: which are found, in which order, and what they are called. Touches no element of the page.
//
// Classic scripts, not modules: from disk, a browser loads no module. What a file declares, the next ones see.
"use strict";

/** The units of an atlas, each with what it is found by. Keys are layer and number, as in "block4b/17". */
function unitsOf(atlas) {
  return atlas.units
    .filter((unit) => unit.pictures.length > 0)
    .map((unit, place) => ({
      ...unit,
      place,
      key: `${unit.layer}/${unit.index}`,
      isClass: unit.name !== unit.objective,
      score: Math.max(...unit.pictures.filter((one) => one.negative === unit.pictures[0].negative).map((one) => one.score)),
      words: `${unit.layer} ${unit.name}`.toLowerCase(),
    }));
}

/** What a person would call a unit: its target, or the first name of its class. */
function titleOf(unit) {
  return unit.isClass ? unit.name.split(", ")[0] : unit.objective;
}

/** The units of a layer ("" for all) that a person's words describe, in order. */
function findUnits(units, { layer, text, sort, hideDead }) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const found = units.filter(
    (unit) => (!layer || unit.layer === layer) && !(hideDead && unit.dead) && words.every((word) => isMeant(unit, word)),
  );
  const signs = { high: -1, low: 1 };
  // Dead ones last: their scores say nothing.
  return sort in signs
    ? found.sort((a, b) => a.dead - b.dead || signs[sort] * (a.score - b.score) || a.place - b.place)
    : found;
}

/** Whether a word is a unit's number, the whole of it ("block4b:17"), or a part of its layer or name. */
function isMeant(unit, word) {
  if (/^\d+$/.test(word)) return unit.index === Number(word);
  return unit.words.includes(word) || word === unit.objective.toLowerCase() || word === unit.key.toLowerCase();
}

/** The link to a unit within the page. Layers may hold any character. */
function hashOf(unit) {
  return `#${encodeURIComponent(unit.layer)}/${unit.index}`;
}

/** The key that a link means; null for what is no link to a unit. */
function keyOf(hash) {
  const parts = /^#(.+)\/(\d+)$/.exec(hash);
  try {
    return parts && `${decodeURIComponent(parts[1])}/${Number(parts[2])}`;
  } catch {
    return null; // A percent sign of something else.
  }
}

/** The address of a file of the atlas, from here. */
function addressOf(file) {
  return file.split("/").map(encodeURIComponent).join("/");
}

/** The objective that mixes units: [{unit, weight}] to text, as the command line reads it. */
function mixOf(chosen) {
  return chosen
    .filter(({ weight }) => weight !== 0)
    .map(({ unit, weight }, index) => {
      const size = Math.abs(weight);
      const term = size === 1 ? unit.objective : `${size}*${unit.objective}`;
      if (index === 0) return weight < 0 ? `-${term}` : term;
      return weight < 0 ? ` - ${term}` : ` + ${term}`;
    })
    .join("");
}

/** A word as a POSIX shell takes it. A terminal obeys control characters even where they are pasted, within quotes. */
function shellQuoted(text) {
  if (/[\x00-\x1f\x80-\x9f]/.test(text)) {
    // Of those beyond ASCII UTF-8 has two bytes.
    const escapes = (char) => (char < "\x80" ? "" : "\\xc2") + `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`;
    return `$'${text.replace(/[\\']/g, "\\$&").replace(/[\x00-\x1f\x7f-\x9f]/g, escapes)}'`;
  }
  return /^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** A string of TOML. It has JSON's escapes, but for one control character and for halves of surrogate pairs. */
function tomlQuoted(text) {
  const whole = text.replace(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g, "\uFFFD");
  return JSON.stringify(whole).replaceAll("\x7f", "\\u007f");
}

/** The command that dreams with an objective. */
function commandFor(objective, atlas) {
  const target = objective.startsWith("-") ? `--objective=${shellQuoted(objective)}` : `--objective ${shellQuoted(objective)}`;
  const model = atlas.model === atlas.usual_model ? "" : ` --model ${shellQuoted(atlas.model)}`;
  return `dreamer dream photo.jpg ${target}${model}`;
}

/** The preset that dreams with an objective, as TOML. */
function presetFor(objective, title, atlas) {
  const lines = [
    `title = ${tomlQuoted(title)}`,
    `description = ${tomlQuoted(`What ${title} of ${atlas.model} looks for.`)}`,
    `tags = ["atlas"]`,
    `model = ${tomlQuoted(atlas.model)}`,
    `objective = ${tomlQuoted(objective)}`,
  ];
  return `${lines.join("\n")}\n`;
}
