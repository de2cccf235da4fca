// The simplex and the certified accuracy curve, drawn by Plotly.

const OUTCOMES = {
  correct: { color: "#0072B2", symbol: "circle" },
  certified: { color: "#0072B2", symbol: "circle" },
  wrong: { color: "#D55E00", symbol: "x" },
  abstains: { color: "#8a8a8a", symbol: "circle-open" },
};

const ink = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** A mechanism's colour everywhere; black turns into the text colour of the theme. */
function colourOf(mechanism) {
  const { color } = page.styles[mechanism];
  return color === "#000000" ? ink("--text") : color;
}

const CONFIG = {
  displaylogo: false,
  responsive: true,
  modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"],
};

function layout(extra) {
  return {
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { color: ink("--text"), family: "system-ui, sans-serif", size: 13 },
    hoverlabel: { bgcolor: ink("--panel"), font: { color: ink("--text") } },
    legend: { orientation: "h", y: -0.12, itemsizing: "constant" },
    uirevision: "keep", // zoom survives a change of the filter
    ...extra,
  };
}

/** One trace a group, so that the legend names it; `customdata` is the row. */
function points(rows, name, marker) {
  const v = view();
  const estimates = byId("position").value === "estimates";
  const e0 = estimates ? v.e0 : v.e0_lower;
  const e1 = estimates ? v.e1 : v.e1_upper;
  return {
    type: "scatterternary",
    mode: "markers",
    name: `${plain(name)} (${rows.length})`,
    a: rows.map((row) => e0[row]),
    b: rows.map((row) => e1[row]),
    c: rows.map((row) => Math.max(0, 1 - e0[row] - e1[row])),
    customdata: rows,
    hoverinfo: "none", // the panel beside it shows more, and the picture
    cliponaxis: false,
    marker: { size: 8, opacity: 0.75, ...marker },
  };
}

function groups(rows) {
  const by = byId("colour").value;
  if (by === "radius") {
    const color = rows.map((row) => radii()[row]);
    const colorbar = { title: { text: "radius" }, thickness: 12, len: 0.7 };
    return [points(rows, "images", { color, colorscale: "Cividis", showscale: true, colorbar })];
  }
  const keyOf = by === "outcome" ? (row) => outcome(row) : (row) => view().largest[row] || "none";
  const keys = by === "outcome" ? Object.keys(OUTCOMES) : [...view().members, "none"];
  const marker = (key) =>
    by === "outcome" ? OUTCOMES[key] : key === "none" ? OUTCOMES.abstains : { color: colourOf(key) };
  return keys
    .map((key) => [key, rows.filter((row) => keyOf(row) === key)])
    .filter(([, members]) => members.length > 0)
    .map(([key, members]) => points(members, key, marker(key)));
}

function line(e0, e1, properties) {
  const c = e0.map((value, i) => 1 - value - e1[i]);
  return { type: "scatterternary", mode: "lines", a: e0, b: e1, c, hoverinfo: "skip", ...properties };
}

function drawSimplex(rows) {
  const grey = ink("--muted");
  const curves = page.boundaries[view().framework].map((curve) =>
    line(curve.e0, curve.e1, { line: { color: grey, width: 1, dash: "dot" }, showlegend: false }),
  );
  const diagonal = line([0.5, 0], [0.5, 0], { line: { color: grey, width: 1 }, showlegend: false });
  const ring = { color: "rgba(0,0,0,0)", size: 17, opacity: 1, line: { color: ink("--text"), width: 2.5 } };
  const pin = { ...points(state.pinned === null ? [] : [state.pinned], "", ring), showlegend: false, hoverinfo: "skip" };
  const axis = (text, min) => ({ title: { text }, min, gridcolor: ink("--line"), linecolor: grey, tickformat: ".3~f" });
  Plotly.react(
    "simplex",
    [...curves, diagonal, ...groups(rows), pin],
    layout({
      margin: { t: 40, b: 30, l: 40, r: 40 },
      ternary: {
        bgcolor: ink("--panel"),
        aaxis: axis("E0", Number(byId("zoom").value)),
        baxis: axis("E1", 0),
        caxis: axis("others", 0),
      },
    }),
    CONFIG,
  );
}

/** Certified accuracy as the step function it is: mean(hit and radius >= r). */
function steps(radiiOfHits, total) {
  const x = [0, ...radiiOfHits.sort((a, b) => a - b)];
  const size = radiiOfHits.length;
  const y = x.map((_, i) => (size - Math.max(0, i - 1)) / total);
  return { x: [...x, x.at(-1)], y: [...y, 0] };
}

function curve({ x, y }, name, properties) {
  const customdata = x.map((r, i) => `${percent(y[i])} at radius ${roundDown(r)}`);
  return {
    x, y, customdata, name: plain(name), mode: "lines",
    hovertemplate: "%{customdata}", ...properties,
  };
}

function wholeCurve(of, mechanism) {
  return { x: of.curves.radius, y: of.curves.shares[mechanism].share };
}

function mechanismCurves(rows, filtered) {
  return Object.keys(view().radii).map((mechanism) => {
    const data = filtered ? steps(hits(rows, view(), mechanism), rows.length) : wholeCurve(view(), mechanism);
    const width = mechanism === state.mechanism ? 3.5 : 2;
    const { dash } = page.styles[mechanism];
    return curve(data, mechanism, { line: { color: colourOf(mechanism), dash, width, shape: filtered ? "vh" : "linear" } });
  });
}

const RUN_COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"];

function runCurves(rows, filtered) {
  return sameData().map(([other, of], i) => {
    const there = rowsIn(other, of, rows);
    const data = filtered
      ? steps(hits(there, of), Math.max(1, there.length))
      : wholeCurve(of, state.mechanism);
    const color = RUN_COLOURS[i % RUN_COLOURS.length];
    const width = other === run() ? 3.5 : 2;
    return curve(data, other.name, { line: { color, width, shape: filtered ? "vh" : "linear" } });
  });
}

/** Of all images, behind the rest: the confidence band, and the curve if filtered. */
function reference(filtered) {
  const { radius, shares } = view().curves;
  const { share, share_lower, share_upper } = shares[state.mechanism];
  const quiet = { mode: "lines", hoverinfo: "skip", showlegend: false };
  const band = [
    { ...quiet, x: radius, y: share_upper, line: { width: 0 } },
    { ...quiet, x: radius, y: share_lower, line: { width: 0 }, fill: "tonexty", fillcolor: ink("--band") },
  ];
  const all = { x: radius, y: share, mode: "lines", name: "all images", hoverinfo: "skip",
    line: { color: ink("--muted"), width: 1.5 } };
  return filtered ? [all] : band;
}

function drawCurve(rows) {
  const filtered = isFiltered();
  const across = byId("curves").value === "runs";
  const lines = rows.length === 0 ? [] : across ? runCurves(rows, filtered) : mechanismCurves(rows, filtered);
  const grid = { gridcolor: ink("--line"), zerolinecolor: ink("--muted") };
  const share = view().label === null ? "share certified" : "certified accuracy";
  Plotly.react(
    "curve",
    [...reference(filtered), ...lines],
    layout({
      margin: { t: 20, b: 50, l: 55, r: 10 },
      hovermode: "closest",
      legend: { orientation: "h", y: -0.2 },
      xaxis: { title: { text: "L2 radius" }, rangemode: "tozero", ...grid },
      yaxis: { title: { text: share }, range: [0, 1.02], tickformat: ".0%", ...grid },
    }),
    CONFIG,
  );
}
