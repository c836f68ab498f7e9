"use strict";
// Names of columns, values and units are data throughout: they are set as text, never as markup.
const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);

function element(name, text = "", kind = "") {
  const made = document.createElement(name);
  made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

function row(cells, name = "td") {
  const made = element("tr");
  for (const [text, kind] of cells) made.append(element(name, text, kind));
  made.firstChild.scope = "row";
  return made;
}

function card(unit, plausible) {
  const made = element("article");
  made.append(element("h2", unit.name));
  if (unit.dead) {
    made.append(element("p", "Dead: it gives the same for every row.", "faint"));
    return made;
  }
  const pick = (which) => unit.rows.find((one) => one.which === which && one.plausible === plausible);
  const most = pick("most"), least = pick("least");
  const table = element("table"), head = element("thead"), body = element("tbody");
  head.append(row([["", ""], ["usual", ""], ["most", "more"], ["least", "less"]], "th"));
  const rows = [...data.columns].sort((one, other) => weight(most, least, other) - weight(most, least, one));
  const changed = (one, column) => (one.changed.includes(column) ? "changed" : "");
  for (const column of rows) {
    body.append(row([[column, ""], [unit.usual.values[column], "faint"], [most.values[column], changed(most, column)],
      [least.values[column], changed(least, column)]]));
  }
  body.append(row([["score", "faint"], [unit.usual.score, "faint"], [most.score, "more"], [least.score, "less"]]));
  table.append(head, body);
  made.append(table);
  return made;
}

function weight(most, least, column) {
  return Math.max(Math.abs(most.matters[column] || 0), Math.abs(least.matters[column] || 0));
}

function show() {
  const words = byId("search").value.trim().toLowerCase();
  const plausible = byId("plausible").checked;
  const found = data.units.filter((unit) => !words || unit.words.includes(words));
  if (byId("sort").value === "span") found.sort((one, other) => other.span - one.span);
  byId("units").replaceChildren(...found.map((unit) => card(unit, plausible)));
  byId("count").textContent = found.length === 1 ? "1 unit" : `${found.length} units`;
}

for (const unit of data.units) {
  const matters = unit.rows.flatMap((one) => Object.keys(one.matters).slice(0, 3));
  unit.words = [unit.name, ...matters].join(" ").toLowerCase();
}
byId("title").textContent = `Rows of ${data.layer}`;
document.title = `Rows of ${data.layer}`;
byId("about").textContent = data.about;
byId("plausible").parentElement.hidden = !data.has_plausible;
for (const id of ["search", "sort", "plausible"]) byId(id).addEventListener("input", show);
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== byId("search")) {
    event.preventDefault();
    byId("search").focus();
  }
});
show();
