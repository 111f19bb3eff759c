// Data of the page. Rows are arrays, to keep the file small; these are the places in them.
const data = JSON.parse(document.getElementById("data").textContent);
const { pictures, pairs, groups, failures, bands } = data;
const [PATH, LINK, WIDTH, HEIGHT, BYTES, FORMAT, DIGEST, REFERENCE] = [0, 1, 2, 3, 4, 5, 6, 7];
const [A, B, SCORE, WORDS, TURN, PARTS] = [0, 1, 2, 3, 4, 5];
const [BASE, LOWEST, MEMBERS, SCORES, LASTS, SAYS, TURNS] = [0, 1, 2, 3, 4, 5, 6];

const at = (id) => document.getElementById(id);
const number = (value) => value.toLocaleString("en");
const count = (value, one, many = one + "s") => `${number(value)} ${value === 1 ? one : many}`;
const plural = (value) => count(value, "picture");

// Everything shown is made here, as text: no name is ever read as markup.
function el(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(properties)) {
    if (key in node) node[key] = value;
    else node.setAttribute(key, value);
  }
  node.append(...children);
  return node;
}

// Controls, marks that turn the direction of writing, halves of letters: shown as codes, as in a terminal.
const visible = (text) => text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (c) => "\\u" + c.codePointAt(0).toString(16).padStart(4, "0"));
const nameOf = (i) => visible(pictures[i][PATH].slice(data.root.length));
const size = (bytes) => bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
const factsOf = (i) => {
  const p = pictures[i];
  return `${p[WIDTH]}×${p[HEIGHT]} · ${size(p[BYTES])} · ${p[FORMAT]}${p[REFERENCE] ? " · reference" : ""}`;
};
const bandOf = (score) => bands.find(([lowest]) => score >= lowest) ?? bands.at(-1);
// Two decimals, never rounded up into a better verdict.
const written = (score) => {
  const rounded = Math.round(100 * score) / 100;
  return (bandOf(rounded) === bandOf(score) ? rounded : rounded - 0.01).toFixed(2);
};

// Thumbnails: a block of them is parsed when the first picture of it is shown.
const blocks = [...document.getElementsByClassName("thumbnails")];
const perBlock = blocks.length ? JSON.parse(blocks[0].textContent).length : 1;
function thumbnail(i) {
  const which = Math.floor(i / perBlock);
  if (blocks[which] instanceof Element) blocks[which] = JSON.parse(blocks[which].textContent);
  const jpeg = blocks[which]?.[i % perBlock];
  if (!jpeg) return el("span", { className: "gone" }, "cannot be read any more");
  return el("img", { src: "data:image/jpeg;base64," + jpeg, alt: "", decoding: "async" });
}
