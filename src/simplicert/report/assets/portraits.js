// What is shown of an input: a picture, its features, a waveform, its words, statistics.

const called = (of = run()) => of.inputs; // "images" or "inputs"
const one = (of = run()) => called(of).slice(0, -1);
const capital = (text) => text[0].toUpperCase() + text.slice(1);

const SVG = "http://www.w3.org/2000/svg";

function drawn(tag, properties, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(properties)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

function picture({ sheet, columns, count: tiles }, row, size) {
  const node = element("span", { className: `thumbnail sheet-${sheet}`, role: "img" });
  node.setAttribute("aria-label", `picture of ${one()} ${view().image[row]}`);
  const rows = Math.ceil(tiles / columns);
  const place = (index, all) => (all > 1 ? (100 * index) / (all - 1) : 0) + "%";
  node.style.width = node.style.height = size + "px";
  node.style.backgroundSize = `${columns * 100}% ${rows * 100}%`;
  node.style.backgroundPosition = `${place(row % columns, columns)} ${place(Math.floor(row / columns), rows)}`;
  return node;
}

/** Up and down between the least and the most of each step of time, a line a channel. */
function waveform({ rows, height }, row, className) {
  const gap = height / 5;
  const lines = rows[row].map((ends, channel) => drawn("polyline", {
    points: ends.map((y, i) => `${i},${y + channel * (height + gap)}`).join(" "),
  }));
  const middle = rows[row].map((ends, channel) => drawn("line", {
    x1: 0, x2: ends.length, y1: height / 2 + channel * (height + gap), y2: height / 2 + channel * (height + gap),
  }));
  const tall = rows[row].length * (height + gap) - gap;
  return drawn("svg", {
    class: `waveform ${className}`, viewBox: `0 -2 ${rows[row][0].length} ${tall + 4}`, preserveAspectRatio: "none",
    role: "img", "aria-label": `waveform of ${one()} ${view().image[row]}`,
  }, ...middle, ...lines);
}

const signed = (number) => (number < 0 ? "−" : "+") + significant(Math.abs(number), 3);

/** How far along one axis of the unit a ball of this norm reaches: its radius. */
const reaches = () => ["l1", "l2", "linf"].includes(view().norm);

function features(portrait, row) {
  const r = radii()[row];
  const moves = r > 0 && reaches();
  const { names, unit, scale } = portrait;
  const others = names.length - portrait.rows[row].length;
  const head = ["feature", ...(unit ? ["in unit"] : []), moves ? "value ± alone" : "value"];
  const body = portrait.rows[row].map(([entry, number, value]) => {
    const alone = moves ? ` ± ${significantDown(r * scale[entry])}` : "";
    const cells = [...(unit ? [signed(number)] : []), significant(value) + alone];
    return element("tr", {}, element("th", { scope: "row" }, names[entry]),
      ...cells.map((text) => element("td", { className: "number" }, text)));
  });
  const note = [
    others > 0 ? `Of ${names.length} features those furthest from ${portrait.from}.` : "",
    unit ? `In unit: in ${unit}.` : "",
    moves ? "Alone: that feature may move by less than this, in its own values, while all others stay." : "",
  ];
  return element("table", { className: "bars features" },
    element("caption", {}, others > 0 ? "Its most unusual features" : "Its features"),
    element("thead", {}, element("tr", {}, ...head.map((text, i) =>
      element("th", { scope: "col", className: i ? "number" : "" }, text)))),
    element("tbody", {}, ...body),
    element("tfoot", {}, element("tr", {}, element("td", { colSpan: head.length, className: "note" }, note.filter(Boolean).join(" ")))));
}

const cut = (text, letters) => (text.length > letters ? text.slice(0, letters) + " …" : text);

const shape = (portrait) => portrait.shape.join(" × ");

/** Of each kind: a heading, and what it is in a table, on a card and in the panel. */
const PORTRAITS = {
  picture: {
    heading: "picture",
    cell: (it, row) => picture(it, row, 32),
    card: (it, row) => picture(it, row, 56),
    beside: (it, row) => picture(it, row, 112),
  },
  waveform: {
    heading: "waveform",
    cell: (it, row) => waveform(it, row, "cell"),
    card: (it, row) => waveform(it, row, "small"),
    below: (it, row) => element("figure", { className: "portrait" }, waveform(it, row, "large"),
      element("figcaption", { className: "note" }, `${it.time.toLocaleString("en")} steps of time, from ${it.low} to ${it.high}${it.names ? `; ${it.names.join(", ")}` : ""}`)),
  },
  words: {
    heading: "text",
    cell: (it, row) => element("span", { className: "words", title: it.rows[row] }, cut(it.rows[row], 60)),
    onCard: (it, row) => `“${cut(it.rows[row], 90)}”`,
    below: (it, row) => element("blockquote", {}, it.rows[row]),
  },
  features: {
    heading: "most unusual",
    cell: (it, row) => {
      const [entry, number, value] = it.rows[row][0];
      return `${it.names[entry]} ${it.unit ? signed(number) : significant(value)}`;
    },
    onCard: (it, row) => `${PORTRAITS.features.cell(it, row)} ${it.unit ? `in ${it.unit}` : ""}`,
    below: features,
  },
  statistics: {
    heading: "from … to",
    cell: (it, row) => `${it.rows[row][0]} … ${it.rows[row][2]}`,
    below: (it, row) => {
      const [least, mean, most, deviation] = it.rows[row];
      return element("p", { className: "note" }, `${shape(it)} numbers from ${least} to ${most}, mean ${mean}, standard deviation ${deviation}`);
    },
  },
};

const portraits = (of = run()) => of.portraits.map((place) => page.portraits[place]);

/** What the input has for this place; nothing, where it has none. */
const shown = (row, at) => portraits()
  .filter((it) => PORTRAITS[it.kind][at]).map((it) => PORTRAITS[it.kind][at](it, row));
