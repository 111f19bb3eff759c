// Decisions
function mark(key) {
  if (!differ.delete(key)) differ.add(key);
  saved = differ.size === 0;
  showMarks(document);
}

function showMarks(within) {
  for (const card of within.querySelectorAll("[data-pair]")) card.classList.toggle("differs", differ.has(card.dataset.pair));
  for (const button of within.querySelectorAll("[data-mark]")) button.setAttribute("aria-pressed", differ.has(button.dataset.mark));
  if (shown) at("differ").setAttribute("aria-pressed", differ.has(keyOf(shown.a, shown.b)));
  at("marked").hidden = differ.size === 0;
  at("marks").textContent = `${count(differ.size, "pair")} marked as not the same`;
}

function save() {
  const rows = [...differ].map((key) => key.split(",").map((i) => pictures[i])).map(([a, b]) => ({
    a: a[PATH], b: b[PATH], a_digest: a[DIGEST], b_digest: b[DIGEST], decision: "different",
  }));
  const url = URL.createObjectURL(new Blob([JSON.stringify(rows, null, 1) + "\n"], { type: "application/json" }));
  el("a", { href: url, download: "decisions.json" }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60000);
  saved = true;
}
