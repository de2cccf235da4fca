// The panel about one image, and the shortcuts to the images worth a look.

function thumbnail(row, size, of = run()) {
  if (of.thumbnails === null) return "";
  const { sheet, columns, count: tiles } = of.thumbnails;
  const node = element("span", { className: `thumbnail sheet-${sheet}`, role: "img" });
  node.setAttribute("aria-label", `picture of image ${view().image[row]}`);
  const rows = Math.ceil(tiles / columns);
  const place = (index, all) => (all > 1 ? (100 * index) / (all - 1) : 0) + "%";
  node.style.width = node.style.height = size + "px";
  node.style.backgroundSize = `${columns * 100}% ${rows * 100}%`;
  node.style.backgroundPosition = `${place(row % columns, columns)} ${place(Math.floor(row / columns), rows)}`;
  return node;
}

function sentence(row) {
  const r = radii()[row];
  if (!(r > 0)) return `No class is certified: ${WHY[abstention(row)]}.`;
  const promise = `he smoothed classifier answers “${className(view().top[row])}” for every input closer than ${roundDown(r)} to this image`;
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
  return element("div", {}, element("h4", {}, "The same image in the other runs"), element("ul", {}, ...lines));
}

function drawDetail() {
  const row = state.hovered ?? state.pinned;
  const panel = byId("detail-body");
  byId("unpin").disabled = state.pinned === null;
  if (row === null) {
    panel.replaceChildren(element("p", { className: "muted" }, "Point at an image to see it here; click to pin it. Or choose one below."));
    return;
  }
  const kind = outcome(row);
  const pinned = row === state.pinned ? " (pinned)" : "";
  panel.replaceChildren(
    element("div", { className: "heading" }, thumbnail(row, 112),
      element("div", {},
        element("h3", {}, `Image ${view().image[row]}${pinned}`),
        element("span", { className: `badge ${kind}` }, kind),
        element("p", { className: "radius" }, radii()[row] > 0 ? `radius ${roundDown(radii()[row])}` : "no radius"))),
    element("p", {}, sentence(row)),
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
  const named = good === "correct" ? "correct image" : "image";
  return [
    [`Least robust ${named}`, pick(good, smaller)],
    [`Most robust ${named}`, pick(good, larger)],
    ["Wrong with the largest radius", pick("wrong", larger)],
  ].filter(([, row]) => row !== null);
}

function drawHighlights(rows) {
  const cards = highlights(rows).map(([title, row]) =>
    element("button", { type: "button", className: "card", onclick: () => pin(row) },
      thumbnail(row, 56),
      element("span", {}, element("strong", {}, title),
        element("span", {}, `image ${view().image[row]}, “${className(view().top[row])}”`),
        element("span", {}, `radius ${roundDown(radii()[row])}`))),
  );
  byId("highlights").replaceChildren(...cards);
}
