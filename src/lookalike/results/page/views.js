// What is chosen. The first threshold is that of the run; below it nothing was kept.
const step = data.threshold <= 0.9 ? 0.01 : data.threshold <= 0.98 ? 0.002 : 0.0005;
const digits = step === 0.01 ? 2 : step === 0.002 ? 3 : 4;
const thresholds = [data.threshold];
for (let k = Math.floor(data.threshold / step + 1e-6) + 1; k * step < 1 + 1e-9; k++) thresholds.push(+(k * step).toFixed(4));
// a threshold with all its digits, and with two at least
const exact = (value) => +value.toFixed(digits) === value ? value.toFixed(digits) : String(value);
const state = {
  view: groups.length || !failures.length ? "groups" : "failures",
  least: data.threshold, query: "", sort: "",
};
const differ = new Set(); // pairs of numbers, "smaller,larger"
let saved = true;
const keyOf = (a, b) => a < b ? `${a},${b}` : `${b},${a}`;

const lowered = pictures.map((p) => p[PATH].slice(data.root.length).normalize("NFC").toLowerCase());
function matcher() {
  const query = state.query.normalize("NFC").toLowerCase().trim();
  return query ? (i) => lowered[i].includes(query) : null;
}

// A view: what to list, in which orders, how to draw an item, and what an item can be laid side by side with.
const byName = (a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
const views = {
  groups: {
    orders: {
      "largest first": (a, b) => b.members.length - a.members.length,
      "most alike first": (a, b) => b.best - a.best,
      "least alike first": (a, b) => a.least - b.least,
      "by name": byName,
    },
    list() {
      const match = matcher();
      const found = [];
      for (const group of groups) {
        const members = [...group[MEMBERS].keys()].filter((j) => group[LASTS][j] >= state.least);
        if (!members.length) continue;
        if (match && !match(group[BASE]) && !members.some((j) => match(group[MEMBERS][j]))) continue;
        const scores = members.map((j) => group[SCORES][j]).filter((score) => score !== null);
        found.push({ group, members, best: scores[0] ?? 0, least: scores.at(-1) ?? 0, name: lowered[group[BASE]] });
      }
      return found;
    },
    say: (items) => count(items.length, "group"),
    card: groupCard,
    pairOf: ({ group, members }, j) => ({
      a: group[BASE], b: group[MEMBERS][members[j]], score: group[SCORES][members[j]],
      words: group[SAYS][members[j]], turn: group[TURNS][members[j]],
    }),
    steps: (item) => item.members.length,
  },
  pairs: {
    orders: {
      "most alike first": (a, b) => b.pair[SCORE] - a.pair[SCORE],
      "least alike first": (a, b) => a.pair[SCORE] - b.pair[SCORE],
      "largest files first": (a, b) => b.bytes - a.bytes,
      "by name": byName,
    },
    list() {
      const match = matcher();
      const found = pairs.filter((p) => p[SCORE] >= state.least && (!match || match(p[A]) || match(p[B])));
      const bytes = (pair) => pictures[pair[A]][BYTES] + pictures[pair[B]][BYTES];
      return found.map((pair) => ({ pair, bytes: bytes(pair), name: lowered[pair[A]] }));
    },
    say: (items) => count(items.length, "pair"),
    card: pairCard,
    pairOf: ({ pair }) => ({ a: pair[A], b: pair[B], score: pair[SCORE], words: pair[WORDS], turn: pair[TURN] }),
    steps: () => 1,
  },
  failures: {
    orders: { "by name": byName, "by kind": (a, b) => a.row[1] < b.row[1] ? -1 : a.row[1] > b.row[1] ? 1 : 0 },
    list() {
      const query = state.query.toLowerCase().trim();
      return failures.map((row) => ({ row, name: row[0] })).filter(({ name }) => name.toLowerCase().includes(query));
    },
    say: (items) => `${count(items.length, "file")} not used`,
    card: ({ row: [source, kind, reason] }) => el("div", { className: "failure" },
      el("span", {}, kind), el("span", {}, visible(source)), el("span", {}, reason)),
  },
};
