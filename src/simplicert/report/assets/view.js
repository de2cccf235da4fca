// What is looked at: one run in one framework, one mechanism, the filter, the pin.

const page = JSON.parse(byId("data").textContent);

const state = { run: 0, view: 0, mechanism: "", pinned: null, hovered: null };

const run = () => page.runs[state.run];
const view = () => run().views[state.view];
const radii = () => view().radii[state.mechanism];
const count = () => view().image.length;
/** A class by name; what an imported log does not say is -1. */
const className = (index, of = run()) => index < 0 ? "unknown" : of.classNames ? of.classNames[index] : String(index);

/** "correct", "wrong" or "abstains"; "certified" for "correct" without labels. */
function outcome(row, of = view(), mechanism = state.mechanism) {
  if (!(of.radii[mechanism][row] > 0)) return "abstains";
  if (of.label === null) return "certified";
  return of.top[row] === of.label[row] ? "correct" : "wrong";
}

/** As `Certificates.abstention` in Python. */
function abstention(row) {
  const v = view();
  if (radii()[row] > 0) return "";
  if (v.e0_lower[row] > v.e1_upper[row]) return "mechanism";
  if (v.too_close.includes(row)) return "too close";
  if (v.e0[row] === null) return "log";
  return v.e0[row] === v.e1[row] ? "tie" : "not separated";
}

const WHY = {
  log: "the log abstains, or may have rounded up from 0",
  tie: "two classes got the same votes",
  "not separated": "the bounds overlap; more draws may help",
  "too close": "the bounds separate, but the first two classes are too close to name one; more draws may help",
  mechanism: "the bounds separate, but this mechanism certifies nothing here",
};

/** The class that the class filter goes by: the true one, if it is known. */
const classOf = (row) => (view().label ?? view().top)[row];

function filter() {
  const value = (id) => byId(id).value;
  return {
    class: value("filter-class"),
    largest: value("filter-largest"),
    outcome: value("filter-outcome"),
    low: value("filter-low") === "" ? -Infinity : Number(value("filter-low")),
    high: value("filter-high") === "" ? Infinity : Number(value("filter-high")),
  };
}

/** What the curve shows, as in `analysis.certified_accuracy`. */
const share = () => (view().label === null ? "share certified" : "certified accuracy");

const FILTERS = ["class", "largest", "outcome", "low", "high"].map((f) => "filter-" + f);
const isFiltered = () => FILTERS.some((id) => byId(id).value !== "");

/** Rows that pass the filter, in the order of the run. */
function selected() {
  const f = filter();
  const passes = (row) =>
    (f.class === "" || classOf(row) === Number(f.class)) &&
    (f.largest === "" || (view().largest[row] || "none") === f.largest) &&
    (f.outcome === "" || outcome(row) === f.outcome) &&
    radii()[row] >= f.low &&
    radii()[row] <= f.high;
  return Array.from({ length: count() }, (_, row) => row).filter(passes);
}

/** Radii under a mechanism of the rows that count towards the curve. */
function hits(rows, of = view(), mechanism = state.mechanism) {
  return rows
    .filter((row) => ["correct", "certified"].includes(outcome(row, of, mechanism)))
    .map((row) => of.radii[mechanism][row]);
}

/** The same inputs' rows in another run's view of the same data. */
function rowsIn(otherRun, otherView, rows) {
  const position = new Map(otherView.image.map((image, row) => [image, row]));
  return rows.map((row) => position.get(view().image[row])).filter((r) => r !== undefined);
}

/** Whether radii are distances of one kind: in one norm and unit. */
const comparable = (v) => v.norm === view().norm && JSON.stringify(v.unit) === JSON.stringify(view().unit);

/** The other runs of the same data in this framework, norm and unit: [run, view] pairs. */
function sameData() {
  return page.runs
    .filter((other) => other.data === run().data)
    .map((other) => [other, other.views.find((v) => v.framework === view().framework && comparable(v))])
    .filter(([, v]) => v !== undefined && state.mechanism in v.radii);
}
