// Cards
function tag(text, score) {
  const node = el("span", { className: "chip" }, text);
  if (score !== null) node.style.setProperty("--band", bandOf(score)[2]); // by script: the policy forbids style attributes
  return node;
}
const briefly = (words) => words.replace(/(, )?\d+ matching points$/, "").replaceAll(" %", "\u00a0%");
// Names of one folder differ at their ends more often than not: a long one is cut in the middle.
function cut(name) {
  const letters = [...name];
  const end = letters.length > 16 ? 10 : 0;
  const parts = [letters.slice(0, letters.length - end), letters.slice(letters.length - end)];
  return parts.map((part) => el("span", {}, part.join("")));
}
const described = (i) => [
  el("span", { className: "name", title: visible(pictures[i][PATH]) }, ...cut(nameOf(i))),
  el("span", { className: "facts", title: factsOf(i) }, factsOf(i)),
];
const told = (words) => el("span", { className: "words", title: words }, briefly(words));
const opener = (place, step, label, ...children) => el("button",
  { className: "open", "data-at": place, "data-step": step, "aria-label": label }, ...children);
const markFor = (a, b) => el("button", {
  className: "mark", "data-mark": keyOf(a, b), title: "not the same",
  "aria-label": `not the same: ${nameOf(a)} and ${nameOf(b)}`,
}, "≠");

const FEW = 18; // members drawn at first, and again with every "more"
function groupCard(item, place) {
  const { group, members } = item;
  const cards = el("div", { className: "cards" },
    el("div", { className: "card base" },
      el("span", { className: "frame" }, thumbnail(group[BASE]), tag(data.groupBy === "cluster" ? "centre" : "base", null)),
      ...described(group[BASE])));
  item.drawn ??= FEW;
  for (let j = 0; j < Math.min(item.drawn, members.length); j++) {
    const { a, b, score, words } = views.groups.pairOf(item, j);
    const says = score === null ? "below the threshold to the base" : `${written(score)} ${bandOf(score)[1]}`;
    cards.append(el("div", { className: "card", "data-pair": keyOf(a, b) },
      opener(place, j, `${says}, ${briefly(words)}: ${nameOf(b)}; compare with ${nameOf(a)}`,
        el("span", { className: "frame" }, thumbnail(b), tag(score === null ? "by others" : written(score), score)),
        ...described(b), told(words)),
      markFor(a, b)));
  }
  if (members.length > item.drawn) {
    cards.append(el("button", { className: "more", "data-more": place }, `${number(members.length - item.drawn)} more`));
  }
  const whole = members.length === group[MEMBERS].length;
  const lowest = whole && members.length > 1 ? group[LOWEST] : null;
  const says = plural(1 + members.length) + (lowest === null ? "" : ` · least alike pair ${written(lowest)}`);
  return el("article", { className: "group", "aria-label": nameOf(group[BASE]) }, el("p", {}, says), cards);
}

function pairCard({ pair }, place) {
  const [a, b] = [pair[A], pair[B]];
  const says = `${written(pair[SCORE])} ${bandOf(pair[SCORE])[1]}`;
  const side = (i) => el("span", {}, el("span", { className: "frame" }, thumbnail(i)), ...described(i));
  return el("article", { className: "pair", "data-pair": keyOf(a, b) },
    opener(place, 0, `${says}, ${briefly(pair[WORDS])}: ${nameOf(a)} and ${nameOf(b)}`,
      el("span", { className: "told" }, tag(says, pair[SCORE]), told(pair[WORDS])),
      el("span", { className: "two" }, side(a), side(b))),
    markFor(a, b));
}
