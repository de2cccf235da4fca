// Numbers as text. What is certified is rounded down, what bounds a rival up.

/** The largest number of `digits` places not above `value`, e.g. 0.2999 → "0.29". */
function roundDown(value, digits = 4) {
  if (value < 1e-6) return (0).toFixed(digits); // String() would give an exponent
  const [whole, fraction = ""] = String(value).split(".");
  return whole + "." + fraction.slice(0, digits).padEnd(digits, "0");
}

/** The smallest number of `digits` places not below `value`. */
function roundUp(value, digits = 4) {
  const down = roundDown(value, digits);
  if (Number(down) >= value) return down;
  return (Number(down) + 10 ** -digits).toFixed(digits);
}

/** So many significant digits, not more than `value`: 0.0012349 → "0.001234". */
function significantDown(value, digits = 4) {
  const less = value * (1 - 2 ** -50); // a product may have been rounded up
  if (!(less > 0)) return "0";
  const places = Math.max(0, digits - 1 - Math.floor(Math.log10(less)));
  if (places > 100) return "0";
  const text = less.toFixed(Math.min(100, places + 12));
  const [whole, fraction = ""] = text.split(".");
  return places === 0 ? whole : `${whole}.${fraction.slice(0, places)}`;
}

/** So many significant digits, for what is no promise. */
const significant = (value, digits = 4) => String(Number(value.toPrecision(digits)));

/** A share as a percentage, rounded down. */
const percent = (share) => (100 * Number(roundDown(share, 3))).toFixed(1) + " %";

/** Plotly reads some HTML in names; this makes it show them as they are. */
const plain = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

/** An element with properties and children; text children are never read as HTML. */
function element(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in node) node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

const byId = (id) => document.getElementById(id);
