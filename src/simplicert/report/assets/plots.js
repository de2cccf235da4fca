// The simplex and the certified accuracy curve, drawn by Plotly.

const OUTCOMES = {
  correct: { color: "--good", symbol: "circle" },
  certified: { color: "--good", symbol: "circle" },
  wrong: { color: "--bad", symbol: "x" },
  abstains: { color: "--muted", symbol: "circle-open" },
};

const outcomeMarker = (kind) => ({ ...OUTCOMES[kind], color: ink(OUTCOMES[kind].color) });

/** A colour of the style sheet as Plotly reads it, in the theme of the moment. */
function ink(name) {
  const probe = byId("probe");
  probe.style.color = `var(${name})`;
  return getComputedStyle(probe).color;
}

/** A mechanism's colour everywhere; black turns into the text colour of the theme. */
function colourOf(mechanism) {
  const { color } = page.styles[mechanism];
  return color === "#000000" ? ink("--text") : color;
}

const CONFIG = {
  displaylogo: false,
  responsive: true,
  modeBarButtons: [["toImage"]], // the others include an upload to Plotly's cloud
};

function layout(extra) {
  return {
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { color: ink("--text"), family: "system-ui, sans-serif", size: 13 },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: ink("--muted"), activecolor: ink("--text") },
    hoverlabel: { bgcolor: ink("--panel"), font: { color: ink("--text") } },
    // On a touch screen a drag scrolls the page.
    dragmode: matchMedia("(pointer: coarse)").matches ? false : "zoom",
    uirevision: "keep", // zoom survives a change of the filter
    ...extra,
  };
}

/** Plotly's corners: E1 on top, E0 on the right, as in the library's figures. */
const place = (e0, e1) => ({ a: e1, b: e0.map((value, i) => Math.max(0, 1 - value - e1[i])), c: e0 });

/** One trace a group, so that the legend names it; `customdata` is the row. */
function points(rows, name, marker) {
  const v = view();
  const estimates = byId("position").value === "estimates";
  const pick = (column) => rows.map((row) => column[row]);
  return {
    ...place(pick(estimates ? v.e0 : v.e0_lower), pick(estimates ? v.e1 : v.e1_upper)),
    type: "scatterternary",
    mode: "markers",
    name: `${plain(name)} (${rows.length})`,
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
    return [points(rows, called(), { color, colorscale: "Cividis", showscale: true, colorbar })];
  }
  const keyOf = by === "outcome" ? (row) => outcome(row) : (row) => view().largest[row] || "none";
  const keys = by === "outcome" ? Object.keys(OUTCOMES) : [...view().members, "none"];
  const marker = (key) =>
    by === "outcome" ? outcomeMarker(key) : key === "none" ? outcomeMarker("abstains") : { color: colourOf(key) };
  return keys
    .map((key) => [key, rows.filter((row) => keyOf(row) === key)])
    .filter(([, members]) => members.length > 0)
    .map(([key, members]) => points(members, key, marker(key)));
}

const quiet = { type: "scatterternary", hoverinfo: "skip", showlegend: false };

/** The curves between the regions, and the line beyond which nothing is certified. */
function frame() {
  const { curves, names } = view().regions;
  const color = ink("--muted");
  const lines = curves.map(({ e0, e1 }) => (
    { ...quiet, ...place(e0, e1), mode: "lines", line: { color, width: 1.2, dash: "dot" } }));
  const diagonal = { ...quiet, ...place([0.5, 0], [0.5, 0]), mode: "lines", line: { color, width: 1.2 } };
  const labels = {
    ...quiet,
    ...place(names.map((n) => n.e0), names.map((n) => n.e1)),
    mode: "text",
    cliponaxis: false,
    text: names.map((n) => `<i>${plain(n.name)}</i>`),
    textfont: { color: names.map((n) => colourOf(n.name)), size: 12 },
  };
  return [...lines, diagonal, labels];
}

function drawSimplex(rows) {
  const ring = { color: "rgba(0,0,0,0)", size: 17, opacity: 1, line: { color: ink("--text"), width: 2.5 } };
  const pin = { ...points(state.pinned === null ? [] : [state.pinned], "", ring), ...quiet };
  const axis = (text, min) => (
    { title: { text }, min, gridcolor: ink("--line"), linecolor: ink("--muted"), tickformat: ".3~f" });
  const narrow = byId("simplex").clientWidth < 500;
  const legend = narrow ? { orientation: "h", x: 0, y: -0.2 } : { x: 0, y: 1 };
  Plotly.react(
    "simplex",
    [...frame(), ...groups(rows), pin],
    layout({
      margin: { t: 40, b: 40, l: 55, r: 45 },
      legend: { itemsizing: "constant", traceorder: "normal", bgcolor: "rgba(0,0,0,0)", ...legend },
      ternary: {
        bgcolor: ink("--panel"),
        aaxis: axis("E1", 0),
        baxis: axis("others", 0),
        caxis: axis("E0", Number(byId("zoom").value)),
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
  const edge = { mode: "lines", hoverinfo: "skip", showlegend: false, line: { width: 0 } };
  const band = [
    { ...edge, x: radius, y: share_upper },
    { ...edge, x: radius, y: share_lower, fill: "tonexty", fillcolor: ink("--band") },
  ];
  const all = { x: radius, y: share, mode: "lines", name: `all ${called()}`, hoverinfo: "skip",
    line: { color: ink("--muted"), width: 1.5 } };
  return filtered ? [all] : band;
}

function drawCurve(rows) {
  const filtered = isFiltered();
  const across = byId("curves").value === "runs";
  const lines = rows.length === 0 ? [] : across ? runCurves(rows, filtered) : mechanismCurves(rows, filtered);
  const grid = { gridcolor: ink("--line"), zerolinecolor: ink("--muted") };
  Plotly.react(
    "curve",
    [...reference(filtered), ...lines],
    layout({
      margin: { t: 30, b: 45, l: 55, r: 10 },
      hovermode: "closest",
      legend: { orientation: "h", y: 1, yanchor: "bottom", traceorder: "normal" },
      xaxis: { title: { text: view().radius_name }, rangemode: "tozero", ...grid },
      yaxis: { title: { text: share() }, range: [0, 1.02], tickformat: ".0%", ...grid },
    }),
    CONFIG,
  );
}
