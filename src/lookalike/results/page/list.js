// The list: blocks of items, drawn as they come near the window and cleared again when they are far from it, so that
// the page holds some hundred pictures at a time however many there are. A cleared block keeps its height.
const BLOCK = 24;
const MOST = 20000; // browsers have a greatest height, and nobody scrolls that far
let items = [];
const near = new IntersectionObserver((seen) => {
  for (const { target, isIntersecting } of seen) isIntersecting ? fill(target) : clear(target);
}, { rootMargin: "1000px" });

function fill(block) {
  if (block.firstChild) return;
  const first = block.dataset.first;
  block.append(...items.slice(first, +first + BLOCK).map((item, k) => views[state.view].card(item, +first + k)));
  block.style.minHeight = "";
  showMarks(block);
}

function clear(block) {
  if (!block.firstChild || block.contains(document.activeElement)) return;
  block.style.minHeight = block.offsetHeight + "px";
  block.replaceChildren();
}

function render() {
  const view = views[state.view];
  items = view.list().sort(view.orders[state.sort]);
  const list = at("list");
  near.disconnect();
  list.className = state.view;
  list.replaceChildren();
  for (let first = 0; first < Math.min(items.length, MOST); first += BLOCK) {
    list.append(el("div", { className: "block", "data-first": first }));
  }
  if (list.firstChild) {
    fill(list.firstChild);
    const height = list.firstChild.offsetHeight; // the others will be about as high
    for (const block of [...list.children].slice(1)) block.style.minHeight = height + "px";
  } else {
    const why = state.query ? "No file of that name here." : `Nothing at ${exact(state.least)} or over.`;
    list.append(el("p", { className: "none" }, state.view === "failures" ? "No such file." : why));
  }
  for (const block of list.getElementsByClassName("block")) near.observe(block);
  const over = state.view === "failures" ? "" : ` at ${exact(state.least)} or over`;
  const cut = items.length > MOST ? `; the first ${number(MOST)} are listed` : "";
  at("count").textContent = view.say(items) + over + cut;
}

function more(place, button) {
  items[place].drawn += 10 * FEW;
  button.closest(".group").replaceWith(groupCard(items[place], place));
  showMarks(document);
}
