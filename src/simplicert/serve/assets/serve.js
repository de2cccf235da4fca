// One input after another: sent, answered, and put where it lies.

const byId = (id) => document.getElementById(id);
const page = JSON.parse(byId("data").textContent);
const answered = []; // the last is the one that is shown
const values = page.shape.reduce((product, size) => product * size, 1);

/** A colour of the style sheet as Plotly reads it, in the theme of the moment. */
function ink(name) {
  const probe = byId("probe");
  probe.style.color = `var(${name})`;
  return getComputedStyle(probe).color;
}

/** Fewer digits, never more than is known. */
const down = (value, digits = 3) => {
  let shown = Number(value.toFixed(digits));
  if (shown > value) shown = Number((shown - 10 ** -digits).toFixed(digits));
  return shown.toFixed(digits);
};
const up = (value, digits = 3) => {
  let shown = Number(value.toFixed(digits));
  if (shown < value) shown = Number((shown + 10 ** -digits).toFixed(digits));
  return shown.toFixed(digits);
};

const REASONS = {
  tie: "two classes have the same votes",
  "not separated": "the bounds of the first two classes overlap: more draws may help",
  "too close": "the first two classes are too close to name one: more draws may help",
  mechanism: "a class leads, but the mechanism certifies nothing there",
};

/** Numbers of an input as a picture, where it is grey or coloured. */
function paint(canvas, numbers) {
  const [channels, height, width] = page.shape;
  const drawable = page.shape.length === 3 && (channels === 1 || channels === 3);
  canvas.hidden = !drawable;
  if (!drawable) return;
  canvas.width = width;
  canvas.height = height;
  const image = new ImageData(width, height);
  for (let i = 0; i < width * height; i += 1) {
    for (let c = 0; c < 3; c += 1) {
      image.data[4 * i + c] = Math.round(255 * numbers[(channels === 3 ? c : 0) * width * height + i]);
    }
    image.data[4 * i + 3] = 255;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

function complain(text) {
  byId("empty").hidden = true;
  byId("result").hidden = true;
  byId("error").hidden = false;
  byId("error").textContent = text;
}

/** Ask about a body; `show` paints what was sent. */
async function certify(body, type, show) {
  byId("answer").parentElement.classList.add("busy");
  try {
    const response = await fetch("certify", { method: "POST", headers: { "Content-Type": type }, body });
    const said = await response.json();
    if (!response.ok) {
      complain(said.error ?? `the service answers ${response.status}`);
      return;
    }
    answered.push(said.answers[0]);
    tell(said.answers[0], said);
    show(byId("picture"));
    if (!page.hide) drawSimplex();
  } catch (error) {
    complain(`no answer: ${error.message}`);
  } finally {
    byId("answer").parentElement.classList.remove("busy");
  }
}

function tell(answer, conditions) {
  const abstains = answer.predicted === null;
  const name = answer.name ?? `class ${answer.predicted}`;
  byId("empty").hidden = true;
  byId("error").hidden = true;
  byId("result").hidden = false;
  byId("class").textContent = abstains ? "abstains" : name;
  byId("class").classList.toggle("abstains", abstains);
  byId("radius").textContent = page.hide || abstains ? "" : `radius ${down(answer.radius)}`;
  byId("band").textContent = answer.band ?? "";
  byId("band").className = `badge ${abstains ? "abstains" : "certified"}`;
  const facts = { request: conditions.request };
  if (!page.hide) {
    facts["first class"] = `${(100 * answer.e0).toFixed(1)} % of ${answer.draws.toLocaleString("en")} draws, at least ${down(100 * answer.e0_lower, 1)} % of all`;
    facts["any other"] = `${(100 * answer.e1).toFixed(1)} %, at most ${up(100 * answer.e1_upper, 1)} %`;
    if (abstains) facts.why = REASONS[answer.abstention];
  }
  byId("facts").replaceChildren(
    ...Object.entries(facts).flatMap(([term, text]) => {
      const [dt, dd] = [document.createElement("dt"), document.createElement("dd")];
      dt.textContent = term;
      dd.textContent = text;
      return [dt, dd];
    }),
  );
  byId("means").textContent = abstains
    ? "No class is certified, so nothing is promised about this input."
    : page.hide
      ? `The smoothed classifier has the ${answer.name ? `class ${name}` : name} here.`
      : `The smoothed classifier has the ${answer.name ? `class ${name}` : name} at every input less than ${down(answer.radius)} away (${page.norm}, ${page.unit}).`;
}

function drawSimplex() {
  const { e0, e1, radius } = page.simplex;
  const muted = ink("--muted");
  const largest = Math.max(...radius.flat().filter((r) => r !== null));
  const most = Math.min(largest, 2.4 * page.sigma);
  const lines = page.triage.map((r) => ({
    type: "contour", x: e0, y: e1, z: radius, showscale: false, hoverinfo: "skip", showlegend: false,
    contours: { start: r, end: r, size: 1, coloring: "none", showlabels: true, labelfont: { color: ink("--text"), size: 12 } },
    line: { color: ink("--text"), width: 1.6, dash: "dash" },
  }));
  const points = answered.flatMap((answer, i) => {
    const last = i === answered.length - 1;
    const color = answer.predicted === null ? ink("--bad") : ink("--good");
    const name = answer.predicted === null ? "abstains" : answer.name ?? `class ${answer.predicted}`;
    const text = `${name.replaceAll("<", "&lt;")}, radius ${down(answer.radius)}, ${answer.draws.toLocaleString("en")} draws`;
    return [
      {
        x: [answer.e0, answer.e0_lower], y: [answer.e1, answer.e1_upper], mode: "lines", showlegend: false,
        hoverinfo: "skip", line: { color, width: last ? 2.5 : 1 }, opacity: last ? 1 : 0.35,
      },
      {
        x: [answer.e0], y: [answer.e1], mode: "markers", showlegend: false, hoverinfo: "skip",
        marker: { symbol: "circle-open", size: last ? 12 : 8, color, line: { width: 2 } }, opacity: last ? 1 : 0.35,
      },
      {
        x: [answer.e0_lower], y: [answer.e1_upper], mode: "markers", showlegend: false, text: [text],
        hovertemplate: "%{text}<extra></extra>",
        marker: { symbol: "circle", size: last ? 14 : 8, color, line: { color: ink("--panel"), width: 2 } }, opacity: last ? 1 : 0.45,
      },
    ];
  });
  Plotly.react(
    "simplex",
    [
      {
        type: "heatmap", x: e0, y: e1, z: radius, zmin: 0, zmax: most, zsmooth: "best", hoverongaps: false,
        colorscale: [[0, ink("--panel")], [1, ink("--accent")]], opacity: 0.55,
        colorbar: { title: { text: "radius" }, thickness: 12, len: 0.8, outlinewidth: 0 },
        hovertemplate: "E0 %{x:.2f}, E1 %{y:.2f}: radius %{z:.3f}<extra></extra>",
      },
      ...lines,
      {
        x: [0, 0, 1.02, 1.02, 1, 0.5, 0], y: [0, 0.52, 0.52, 0, 0, 0.5, 0], fill: "toself", fillcolor: ink("--panel"),
        mode: "none", hoverinfo: "skip", showlegend: false, // cells reach over the edge
      },
      {
        x: [0, 0.5, 1, 0], y: [0, 0.5, 0, 0], mode: "lines", hoverinfo: "skip", showlegend: false,
        line: { color: muted, width: 1.2 },
      },
      ...points,
    ],
    {
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: ink("--text"), family: "system-ui, sans-serif", size: 13 },
      hoverlabel: { bgcolor: ink("--panel"), font: { color: ink("--text") } },
      margin: { t: 10, b: 50, l: 60, r: 10 },
      dragmode: false,
      xaxis: { title: { text: "E0: how often the first class" }, range: [0, 1.02], gridcolor: ink("--line"), zeroline: false },
      yaxis: { title: { text: "E1: the next, at most" }, range: [0, 0.52], gridcolor: ink("--line"), zeroline: false },
      annotations: [
        { x: 0.16, y: 0.4, text: "no class leads", showarrow: false, font: { color: muted } },
      ],
    },
    { displaylogo: false, responsive: true, displayModeBar: false },
  );
}

/** Nested lists or a flat list of numbers → nested lists of the inputs' shape. */
function shaped(text) {
  const bare = text.replaceAll(/[[\](){}]/g, " ").trim();
  const parts = bare.split(/[\s,;]+/).filter(Boolean);
  const numbers = parts.map(Number);
  const wrong = numbers.findIndex((n) => !Number.isFinite(n));
  if (wrong >= 0) throw new Error(`${parts[wrong]} is no number (${page.features[wrong] ?? `number ${wrong + 1}`})`);
  if (numbers.length !== values) {
    throw new Error(`an input has ${values} numbers, of shape ${page.shape.join(" × ")}; these are ${numbers.length}`);
  }
  return numbers;
}

function nested(numbers, shape) {
  if (shape.length === 1) return Array.from(numbers);
  const size = numbers.length / shape[0];
  return Array.from({ length: shape[0] }, (_, i) => nested(numbers.slice(i * size, (i + 1) * size), shape.slice(1)));
}

const certifyNumbers = (numbers) =>
  certify(JSON.stringify({ input: nested(numbers, page.shape) }), "application/json", (canvas) => paint(canvas, numbers));

function certifyFile(file) {
  if (!file) return;
  certify(file, file.type || "application/octet-stream", async (canvas) => {
    const bitmap = await createImageBitmap(file);
    const side = Math.min(bitmap.width, bitmap.height, 224);
    canvas.hidden = false;
    canvas.width = canvas.height = side;
    const [w, h] = [bitmap.width, bitmap.height];
    const cut = Math.min(w, h);
    canvas.getContext("2d").drawImage(bitmap, (w - cut) / 2, (h - cut) / 2, cut, cut, 0, 0, side, side);
  });
}

function offerExamples() {
  const drawable = page.shape.length === 3 && [1, 3].includes(page.shape[0]);
  for (const [i, text] of page.examples.entries()) {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const numbers = new Float64Array(bytes.buffer);
    if (i === 0 && values <= 256) {
      // Of images float32 is kept, which has no more digits.
      byId("numbers").value = Array.from(numbers, (n) => (drawable ? +n.toPrecision(8) : n)).join(", ");
    }
    if (!drawable) continue;
    const [button, canvas] = [document.createElement("button"), document.createElement("canvas")];
    button.type = "button";
    button.title = `Example ${i + 1}`;
    button.setAttribute("aria-label", button.title);
    paint(canvas, numbers);
    button.append(canvas);
    button.addEventListener("click", () => {
      for (const other of byId("examples").children) other.classList.toggle("chosen", other === button);
      certifyNumbers(numbers);
    });
    byId("examples").append(button);
    byId("examples").hidden = false;
  }
}

byId("send").addEventListener("click", () => {
  try {
    certifyNumbers(shaped(byId("numbers").value));
  } catch (error) {
    complain(error.message);
  }
});

if (byId("file")) {
  const drop = byId("drop");
  byId("file").addEventListener("change", (event) => certifyFile(event.target.files[0]));
  for (const kind of ["dragover", "dragleave", "drop"]) {
    drop.addEventListener(kind, (event) => {
      event.preventDefault();
      drop.classList.toggle("over", kind === "dragover");
      if (kind === "drop") certifyFile(event.dataTransfer.files[0]);
    });
  }
}

byId("theme").addEventListener("click", () => {
  const root = document.documentElement;
  const dark = getComputedStyle(root).colorScheme === "dark" || (!root.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
  root.dataset.theme = dark ? "light" : "dark";
  if (!page.hide) drawSimplex();
});

/** A field for each named feature, and the text of all of them: each follows the other. */
function nameFeatures() {
  const [text, fields] = [byId("numbers"), [...document.querySelectorAll("#features input")]];
  if (!fields.length) return;
  const fill = () => text.value.split(",").forEach((part, i) => { if (fields[i]) fields[i].value = part.trim(); });
  for (const field of fields) {
    field.addEventListener("input", () => { text.value = fields.map((each) => each.value.trim()).join(", "); });
  }
  text.addEventListener("input", fill);
  fill();
}

offerExamples();
nameFeatures();
if (!page.hide) drawSimplex();
