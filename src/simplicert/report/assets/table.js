// The table of inputs: sorted, in pages, and as CSV.

const PAGE = 20;
const sorting = { column: "image", descending: false };
let shownPage = 0;

/** Title, value to sort by, and text of each column. */
function columns() {
  const v = view();
  const label = v.label === null ? [] : [
    { key: "label", value: (row) => v.label[row], text: (row) => className(v.label[row]) }];
  return [
    { key: "image", value: (row) => v.image[row], text: (row) => String(v.image[row]) },
    ...label,
    { key: "prediction", value: (row) => (radii()[row] > 0 ? v.top[row] : -1),
      text: (row) => (radii()[row] > 0 ? className(v.top[row]) : "–") },
    { key: "outcome", value: outcome,
      text: (row) => outcome(row) + (abstention(row) ? `: ${abstention(row)}` : "") },
    ...(Object.keys(v.looks).length === 0 ? [] : [
      { key: "draws", value: (row) => v.draws[row], text: (row) => v.draws[row].toLocaleString("en"), number: true }]),
    ...Object.entries(v.decisions).map(([key, words]) => ({ key, value: (row) => words[row], text: (row) => words[row] })),
    { key: "E0 ≥", value: (row) => v.e0_lower[row], text: (row) => roundDown(v.e0_lower[row]), number: true },
    { key: "E1 ≤", value: (row) => v.e1_upper[row], text: (row) => roundUp(v.e1_upper[row]), number: true },
    ...Object.entries(v.radii).map(([key, r]) => (
      { key, value: (row) => r[row], text: (row) => roundDown(r[row]), number: true, chosen: key === state.mechanism })),
    { key: "largest", value: (row) => v.largest[row], text: (row) => v.largest[row] || "–" },
  ];
}

function sorted(rows) {
  const column = columns().find((c) => c.key === sorting.column) ?? columns()[0];
  const sign = sorting.descending ? -1 : 1;
  const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
  return rows.toSorted((a, b) => sign * compare(column.value(a), column.value(b)) || a - b);
}

function header(column) {
  const active = column.key === sorting.column;
  const arrow = active ? (sorting.descending ? " ▼" : " ▲") : "";
  const sort = () => {
    sorting.descending = active && !sorting.descending;
    sorting.column = column.key;
    shownPage = 0;
    drawTable(selected());
    byId("images").querySelector(`[aria-sort] button`).focus();
  };
  const title = column.key === "image" ? one() : column.key;
  const cell = element("th", { scope: "col" }, element("button", { type: "button", onclick: sort }, title + arrow));
  if (active) cell.setAttribute("aria-sort", sorting.descending ? "descending" : "ascending");
  if (column.number) cell.className = "number";
  return cell;
}

function tableRow(row) {
  const cells = columns().map((column) => {
    const text = column.text(row);
    const content = column.key === "image"
      ? element("button", { type: "button", className: "link", onclick: () => pin(row) }, text) : text;
    return element("td", { className: (column.number ? "number " : "") + (column.chosen ? "chosen" : "") }, content);
  });
  cells.unshift(...shown(row, "cell").map((content) => element("td", {}, content)));
  return element("tr", { className: row === state.pinned ? "pinned" : "" }, ...cells);
}

function drawTable(rows) {
  const order = sorted(rows);
  const pages = Math.max(1, Math.ceil(order.length / PAGE));
  shownPage = Math.min(shownPage, pages - 1);
  const headings = portraits().map((it) => element("th", { scope: "col" }, PORTRAITS[it.kind].heading));
  byId("images").tHead.replaceChildren(element("tr", {}, ...headings, ...columns().map(header)));
  byId("images").tBodies[0].replaceChildren(
    ...order.slice(shownPage * PAGE, (shownPage + 1) * PAGE).map(tableRow));
  byId("page").textContent = `page ${shownPage + 1} of ${pages}`;
  byId("previous-page").disabled = shownPage === 0;
  byId("next-page").disabled = shownPage === pages - 1;
}

/** Turn to the page that holds a row. */
function turnTo(row) {
  const place = sorted(selected()).indexOf(row);
  if (place >= 0) shownPage = Math.floor(place / PAGE);
}

/** The columns of `Certificates.table()` in Python, with every digit. */
function csv(rows) {
  const v = view();
  const certified = (row) => radii()[row] > 0;
  const each = (lists) => Object.fromEntries(Object.entries(lists).map(([name, list]) => [name, (row) => list[row]]));
  const columns = {
    image: (row) => v.image[row],
    ...(v.label === null ? {} : { label: (row) => v.label[row] }),
    predicted: (row) => (certified(row) ? v.top[row] : -1),
    abstention,
    ...each({ top: v.top, runner_up: v.runner_up, draws: v.draws, ...v.looks }),
    ...each({ e0: v.e0, e1: v.e1, e0_lower: v.e0_lower, e1_upper: v.e1_upper, ...v.radii }),
    largest: (row) => v.largest[row],
    ...each(v.decisions),
    ...Object.fromEntries(Object.entries(v.facts).map(([name, value]) => [name, () => value])),
  };
  const quote = (cell) => (/[",\n]/.test(cell) ? `"${String(cell).replaceAll('"', '""')}"` : cell);
  const lines = [Object.keys(columns), ...rows.map((row) => Object.values(columns).map((of) => of(row)))];
  return lines.map((cells) => cells.map(quote).join(",") + "\n").join("");
}

function download() {
  const blob = new Blob([csv(sorted(selected()))], { type: "text/csv" });
  const name = `${run().name}-${view().framework}.csv`.replaceAll(/[^\w.-]+/g, "_");
  const link = element("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  URL.revokeObjectURL(link.href);
}
