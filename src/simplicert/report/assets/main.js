// Wires the controls to the drawings.

function options(id, pairs, chosen) {
  byId(id).replaceChildren(...pairs.map(([value, text]) => element("option", { value }, text)));
  if (pairs.some(([value]) => value === chosen)) byId(id).value = chosen;
}

/** Look at another run or framework, at the same input if it is there. */
function show(runIndex, viewIndex) {
  const before = state.pinned === null ? null : { data: run().data, image: view().image[state.pinned] };
  state.run = runIndex;
  state.view = Math.min(viewIndex, run().views.length - 1);
  state.hovered = null;
  fillControls();
  const row = before?.data === run().data ? view().image.indexOf(before.image) : -1;
  state.pinned = row >= 0 ? row : (highlights(selected())[0]?.[1] ?? null);
  draw();
}

function fillControls() {
  const v = view();
  options("framework", run().views.map((each, i) => [String(i), each.framework]), String(state.view));
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
  byId("curve-title").textContent = `${share()[0].toUpperCase()}${share().slice(1)} of the selected ${called()}`;
  for (const section of document.querySelectorAll("[data-view]"))
    section.classList.toggle("current", section.dataset.view === `${state.run}-${state.view}`);
  const listed = byId("listed");
  listed.hidden = count() === run().images;
  listed.textContent = `This page lists ${count().toLocaleString("en")} of the run's ${run().images.toLocaleString("en")} ${called()}: an even choice and the extremes. Tables and unfiltered curves are of all.`;
}

function summary(rows) {
  const number = (kind) => rows.filter((row) => outcome(row) === kind).length;
  const kinds = view().label === null ? ["certified", "abstains"] : ["correct", "wrong", "abstains"];
  const parts = kinds.map((kind) => `${kind} ${number(kind)}`);
  return `${rows.length} of ${count()} ${called()}: ${parts.join(", ")}`;
}

function draw() {
  const rows = selected();
  byId("summary").textContent = summary(rows);
  drawHighlights(rows);
  drawSimplex(rows);
  drawCurve(rows);
  drawTable(rows);
  drawDetail();
  drawBeside();
}

function pin(row) {
  state.pinned = row;
  state.hovered = null;
  if (row !== null) turnTo(row);
  const rows = selected();
  drawSimplex(rows);
  drawTable(rows);
  drawDetail();
  if (row !== null) byId("detail").scrollIntoView({ block: "nearest" });
}

/** The pinned input's neighbour in the order of the table. */
function step(by) {
  const order = sorted(selected());
  if (order.length === 0) return;
  const place = order.indexOf(state.pinned);
  pin(order[(place + by + order.length + (place < 0 && by < 0 ? 1 : 0)) % order.length]);
}

function toggleTheme() {
  const { dataset } = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  dataset.theme = (dataset.theme ?? system) === "dark" ? "light" : "dark";
  draw();
}

function start() {
  options("run", page.runs.map((r, i) => [String(i), r.name]), "0");
  const on = (id, event, action) => byId(id).addEventListener(event, action);
  on("run", "change", () => show(Number(byId("run").value), state.view));
  on("framework", "change", () => show(state.run, Number(byId("framework").value)));
  on("mechanism", "change", () => { state.mechanism = byId("mechanism").value; draw(); });
  for (const id of FILTERS) on(id, "input", () => { shownPage = 0; draw(); });
  for (const id of ["colour", "position", "zoom"]) on(id, "change", () => drawSimplex(selected()));
  on("curves", "change", () => drawCurve(selected()));
  on("filters", "submit", (event) => event.preventDefault());
  on("reset", "click", () => {
    for (const id of FILTERS) byId(id).value = "";
    draw();
  });
  on("previous", "click", () => step(-1));
  on("next", "click", () => step(1));
  on("unpin", "click", () => pin(null));
  on("previous-page", "click", () => { shownPage -= 1; drawTable(selected()); });
  on("next-page", "click", () => { shownPage += 1; drawTable(selected()); });
  on("download", "click", download);
  on("theme", "click", toggleTheme);
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") pin(null); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  show(0, 0);
  startBeside();
  const rowOf = (event) => event.points[0]?.customdata ?? null;
  const simplex = byId("simplex");
  simplex.on("plotly_hover", (event) => { state.hovered = rowOf(event); drawDetail(); });
  simplex.on("plotly_unhover", () => { state.hovered = null; drawDetail(); });
  simplex.on("plotly_click", (event) => { if (rowOf(event) !== null) pin(rowOf(event)); });
}

start();
