// Radii of the smoothed classifier against radii of its base classifier.

const KINDS = {
  both: { color: "--good", symbol: "circle", name: "both" },
  "only smoothed": { color: "--accent", symbol: "triangle-up", name: "only g" },
  "only base": { color: "--bad", symbol: "square", name: "only f" },
  neither: { color: "--muted", symbol: "circle-open", name: "neither" },
};

function besideTrace(plot, kind) {
  const rows = plot.kind.flatMap((each, row) => (each === kind ? [row] : []));
  const pick = (column) => rows.map((row) => column[row]);
  const { color, symbol, name } = KINDS[kind];
  const certifies = plot.right ? "certified, the class right, by" : "certified by";
  return {
    x: pick(plot.base), y: pick(plot.smoothed), customdata: rows, type: "scatter", mode: "markers",
    name: `${certifies} ${name} (${rows.length})`,
    text: rows.map((row) =>
      `${one()} ${plot.image[row]}<br>g: ${roundDown(plot.smoothed[row])}<br>f: ${roundDown(plot.base[row])}`),
    hovertemplate: "%{text}<extra></extra>",
    cliponaxis: false,
    marker: { symbol, color: ink(color), size: 8, opacity: 0.75 },
  };
}

/** Where both radii would be equal: to compare sizes, not to choose between them. */
function equalRadii(plot) {
  const end = Math.max(...plot.base, ...plot.smoothed);
  return {
    x: [0, end], y: [0, end], mode: "lines", hoverinfo: "skip", name: "equal radii",
    line: { color: ink("--muted"), width: 1.2, dash: "dot" },
  };
}

function drawBeside() {
  const title = (text) => ({ text: plain(text), font: { size: 13 } });
  const grid = { gridcolor: ink("--line"), zerolinecolor: ink("--muted"), rangemode: "tozero" };
  page.beside.forEach((plot, i) => Plotly.react(
    `beside-${i}`,
    [equalRadii(plot), ...plot.kinds.filter((kind) => plot.kind.includes(kind)).map((kind) => besideTrace(plot, kind))],
    layout({
      margin: { t: 30, b: 45, l: 60, r: 15 },
      hovermode: "closest",
      legend: { orientation: "h", y: 1, yanchor: "bottom", traceorder: "normal" },
      xaxis: { title: title(plot.axes.base), ...grid },
      yaxis: { title: title(plot.axes.smoothed), ...grid },
    }),
    CONFIG,
  ));
}

/** A click shows the input above, if the page lists it. */
function startBeside() {
  page.beside.forEach((plot, i) => byId(`beside-${i}`).on("plotly_click", (event) => {
    const row = event.points[0]?.customdata;
    if (row === undefined) return;
    if (state.run !== plot.run) { byId("run").value = String(plot.run); show(plot.run, state.view); }
    const there = view().image.indexOf(plot.image[row]);
    if (there >= 0) pin(there);
  }));
}
