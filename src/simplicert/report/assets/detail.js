// The panel about one input, and the shortcuts to those worth a look.

/** In which unit a radius is, where that is not pixels. */
const unitSaid = () => (!reaches() || view().unit === null || view().unit.name === "pixels" ? "" : `in ${view().unit.name}`);

function sentence(row) {
  const r = radii()[row];
  if (!(r > 0)) return `No class is certified: ${WHY[abstention(row)]}.`;
  const promise = `he smoothed classifier answers “${className(view().top[row])}” for every input closer than ${roundDown(r)} to this ${one()}${unitSaid() && ` (${view().norm} distance ${unitSaid()})`}`;
  if (state.mechanism === "reported") return `According to a log, whose votes are not known, t${promise}.`;
  if (view().facts.asymptotic) return `No certificate. Asymptotically, without a guarantee: t${promise}.`;
  return `T${promise}.`;
}

/** An imported log may not say what was estimated. */
const estimate = (value) => (value === null ? "" : `about ${value.toFixed(4)}, `);

function facts(row) {
  const v = view();
  const list = [];
  if (v.label !== null) list.push(["label", className(v.label[row])]);
  list.push(
    ["prediction", radii()[row] > 0 ? className(v.top[row]) : `none (top: ${className(v.top[row])})`],
    ["runner-up", className(v.runner_up[row])],
    ["E0", estimate(v.e0[row]) + `at least ${roundDown(v.e0_lower[row])}`],
    ["E1", estimate(v.e1[row]) + `at most ${roundUp(v.e1_upper[row])}`],
    ["draws", v.draws[row].toLocaleString("en")],
  );
  return element("dl", {}, ...list.flatMap(([k, t]) => [element("dt", {}, k), element("dd", {}, t)]));
}

function bars(row) {
  const of = view().radii;
  const largest = Math.max(...Object.values(of).map((r) => r[row]));
  return element(
    "table",
    { className: "bars" },
    element("caption", {}, "Radius by mechanism"),
    ...Object.entries(of).map(([name, r]) => {
      const bar = element("span", { className: "bar" });
      bar.style.width = (largest > 0 ? (100 * r[row]) / largest : 0) + "%";
      bar.style.background = colourOf(name);
      const chosen = name === state.mechanism ? "chosen" : "";
      return element("tr", { className: chosen }, element("th", { scope: "row" }, name),
        element("td", { className: "number" }, roundDown(r[row])), element("td", { className: "track" }, bar));
    }),
  );
}

/** The certified confidence within each radius as far as the class is certified. */
function confidence(row) {
  const within = view().confidence.filter(({ radius }) => radii()[row] > 0 && radius <= radii()[row]);
  if (within.length === 0) return "";
  return element(
    "table",
    { className: "bars confidence" },
    element("caption", {}, "Certified confidence within radius"),
    ...within.map(({ radius, least }) => {
      const bar = element("span", { className: "bar" });
      bar.style.width = 100 * least[row] + "%";
      return element("tr", {}, element("th", { scope: "row" }, String(radius)),
        element("td", { className: "number" }, least[row] > 0 ? roundDown(least[row]) : "–"), element("td", { className: "track" }, bar));
    }),
    element("tfoot", {}, element("tr", {}, element("td", { colSpan: 3, className: "note" },
      `How far “${className(view().top[row])}” is ahead of every other class in mean score, anywhere within that radius. Each line by itself is false with probability at most ${view().facts.alpha}.`))),
  );
}

function inOtherRuns(row) {
  const others = sameData().filter(([other]) => other !== run());
  if (others.length === 0) return "";
  const lines = others.map(([other, of]) => {
    const [there] = rowsIn(other, of, [row]);
    if (there === undefined) return element("li", {}, `${other.name}: not listed`);
    const r = of.radii[state.mechanism][there];
    const answer = r > 0 ? `${className(of.top[there], other)}, radius ${roundDown(r)}` : "abstains";
    return element("li", {}, `${other.name}: ${answer}`);
  });
  return element("div", {}, element("h4", {}, `The same ${one()} in the other runs`), element("ul", {}, ...lines));
}

function drawDetail() {
  const row = state.hovered ?? state.pinned;
  const panel = byId("detail-body");
  byId("unpin").disabled = state.pinned === null;
  if (row === null) {
    panel.replaceChildren(element("p", { className: "muted" }, `Point at an ${one()} to see it here; click to pin it. Or choose one below.`));
    return;
  }
  const kind = outcome(row);
  const pinned = row === state.pinned ? " (pinned)" : "";
  panel.replaceChildren(
    element("div", { className: "heading" }, ...shown(row, "beside"),
      element("div", {},
        element("h3", {}, `${capital(one())} ${view().image[row]}${pinned}`),
        element("span", { className: `badge ${kind}` }, kind),
        element("p", { className: "radius" }, radii()[row] > 0 ? `radius ${roundDown(radii()[row])}` : "no radius"),
        radii()[row] > 0 ? element("p", { className: "note" }, unitSaid()) : "")),
    element("p", {}, sentence(row)),
    ...shown(row, "below"),
    facts(row),
    bars(row),
    confidence(row),
    inOtherRuns(row),
  );
}

/** Extremes of what is selected: a reader's first four questions. */
function highlights(rows) {
  const pick = (kind, best) => {
    const of = rows.filter((row) => outcome(row) === kind);
    return of.length === 0 ? null : of.reduce((a, b) => (best(radii()[b], radii()[a]) ? b : a));
  };
  const smaller = (a, b) => a < b;
  const larger = (a, b) => a > b;
  const good = view().label === null ? "certified" : "correct";
  const named = good === "correct" ? `correct ${one()}` : one();
  return [
    [`Least robust ${named}`, pick(good, smaller)],
    [`Most robust ${named}`, pick(good, larger)],
    ["Wrong with the largest radius", pick("wrong", larger)],
  ].filter(([, row]) => row !== null);
}

function drawHighlights(rows) {
  const cards = highlights(rows).map(([title, row]) =>
    element("button", { type: "button", className: "card", onclick: () => pin(row) },
      ...shown(row, "card"),
      element("span", {}, element("strong", {}, title),
        element("span", {}, `${one()} ${view().image[row]}, “${className(view().top[row])}”`),
        ...shown(row, "onCard").map((text) => element("span", { className: "muted" }, text)),
        element("span", {}, `radius ${roundDown(radii()[row])}`))),
  );
  byId("highlights").replaceChildren(...cards);
}
