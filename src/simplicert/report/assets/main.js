// Wires the controls to the drawings.

function options(id, pairs, chosen) {
  byId(id).replaceChildren(...pairs.map(([value, text]) => element("option", { value }, text)));
  if (pairs.some(([value]) => value === chosen)) byId(id).value = chosen;
}

function fillRun() {
  options("framework", run().views.map((v, i) => [String(i), v.framework]), String(state.view));
  state.view = Number(byId("framework").value);
  fillView();
}

function fillView() {
  const v = view();
  const names = Object.keys(v.radii);
  if (!names.includes(state.mechanism)) state.mechanism = v.mechanism;
  options("mechanism", names.map((name) => [name, name]), state.mechanism);
  const classes = [...new Set(v.label ?? v.top)].sort((a, b) => a - b);
  const keep = Object.fromEntries(FILTERS.map((id) => [id, byId(id).value]));
  byId("filter-class-name").textContent = v.label === null ? "Class (predicted)" : "Class (true)";
  options("filter-class", [["", "all"], ...classes.map((c) => [String(c), className(c)])], keep["filter-class"]);
  options("filter-largest", [["", "all"], ...[...v.members, "none"].map((m) => [m, m])], keep["filter-largest"]);
  const kinds = v.label === null ? ["certified", "abstains"] : ["correct", "wrong", "abstains"];
  options("filter-outcome", [["", "all"], ...kinds.map((k) => [k, k])], keep["filter-outcome"]);
  state.pinned = state.hovered = null;
  for (const section of document.querySelectorAll("[data-view]"))
    section.classList.toggle("current", section.dataset.view === `${state.run}-${state.view}`);
  const listed = byId("listed");
  listed.hidden = count() === run().images;
  listed.textContent = `This page lists ${count().toLocaleString("en")} of the run's ${run().images.toLocaleString("en")} images: an even choice and the extremes. Tables and unfiltered curves are of all.`;
  draw();
}

function summary(rows) {
  const share = (kind) => rows.filter((row) => outcome(row) === kind).length;
  const kinds = view().label === null ? ["certified", "abstains"] : ["correct", "wrong", "abstains"];
  const parts = kinds.map((kind) => `${kind} ${share(kind)}`);
  return `${rows.length} of ${count()} images: ${parts.join(", ")}`;
}

function draw() {
  const rows = selected();
  byId("summary").textContent = summary(rows);
  drawHighlights(rows);
  drawSimplex(rows);
  drawCurve(rows);
  drawTable(rows);
  drawDetail();
}

function pin(row) {
  state.pinned = row;
  state.hovered = null;
  if (row !== null) turnTo(row);
  const rows = selected();
  drawSimplex(rows);
  drawTable(rows);
  drawDetail();
}

/** The pinned image's neighbour in the order of the table. */
function step(by) {
  const order = sorted(selected());
  if (order.length === 0) return;
  const place = order.indexOf(state.pinned);
  pin(order[(place + by + order.length + (place < 0 && by < 0 ? 1 : 0)) % order.length]);
}

function toggleTheme() {
  const root = document.documentElement;
  const dark = getComputedStyle(root).colorScheme === "dark";
  root.dataset.theme = dark ? "light" : "dark";
  draw();
}

function start() {
  options("run", page.runs.map((r, i) => [String(i), r.name]), "0");
  const on = (id, event, action) => byId(id).addEventListener(event, action);
  on("run", "change", () => { state.run = Number(byId("run").value); fillRun(); });
  on("framework", "change", () => { state.view = Number(byId("framework").value); fillView(); });
  on("mechanism", "change", () => { state.mechanism = byId("mechanism").value; draw(); });
  for (const id of FILTERS) on(id, "input", () => { shownPage = 0; draw(); });
  for (const id of ["colour", "position", "zoom"]) on(id, "change", () => drawSimplex(selected()));
  on("curves", "change", () => drawCurve(selected()));
  on("filters", "submit", (event) => event.preventDefault());
  on("filters", "reset", () => setTimeout(draw)); // after the fields are empty
  on("previous", "click", () => step(-1));
  on("next", "click", () => step(1));
  on("unpin", "click", () => pin(null));
  on("previous-page", "click", () => { shownPage -= 1; drawTable(selected()); });
  on("next-page", "click", () => { shownPage += 1; drawTable(selected()); });
  on("download", "click", download);
  on("theme", "click", toggleTheme);
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") pin(null); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  fillRun();
  const rowOf = (event) => event.points[0]?.customdata ?? null;
  const simplex = byId("simplex");
  simplex.on("plotly_hover", (event) => { state.hovered = rowOf(event); drawDetail(); });
  simplex.on("plotly_unhover", () => { state.hovered = null; drawDetail(); });
  simplex.on("plotly_click", (event) => { if (rowOf(event) !== null) pin(rowOf(event)); });
}

start();
