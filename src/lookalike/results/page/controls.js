// The controls, and what is told once.
function head() {
  const where = data.root ? ` in ${visible(data.root)}` : "";
  at("summary").textContent = `${plural(data.read)}${where} · ${count(pairs.length, "pair")} at ${exact(data.threshold)} or over`;
  at("notices").replaceChildren(...data.notices.map((notice) => el("li", {}, notice)));
  const labels = {
    groups: ["Groups", groups.length], pairs: ["Pairs", pairs.length], failures: ["Not used", failures.length],
  };
  at("views").replaceChildren(...Object.entries(labels).filter(([view, [, many]]) => many || view !== "failures")
    .map(([view, [label, many]]) => el("button", { "data-view": view }, label, el("small", {}, number(many)))));
}

// How many pairs lie between each threshold and the next, as bars over the slider: their roots, so that few are seen
// beside many.
function histogram() {
  const bins = thresholds.map(() => 0);
  for (const pair of pairs) {
    let bin = Math.min(bins.length - 1, Math.floor((pair[SCORE] - data.threshold) / step) + 1);
    while (bin > 0 && thresholds[bin] > pair[SCORE]) bin--;
    bins[bin]++;
  }
  const most = Math.max(1, ...bins);
  at("bars").replaceChildren(...bins.map((many) => {
    const bar = el("i");
    bar.style.height = `${100 * Math.sqrt(many / most)}%`;
    return bar;
  }));
}

function chooseView(view) {
  state.view = view;
  for (const button of at("views").children) button.setAttribute("aria-pressed", button.dataset.view === view);
  const orders = Object.keys(views[view].orders);
  at("sort").replaceChildren(...orders.map((order) => el("option", { value: order }, order)));
  state.sort = orders[0];
  at("slide").hidden = view === "failures" || thresholds.length < 2;
  render();
}

function chooseLeast() {
  const chosen = +at("slider").value;
  state.least = thresholds[chosen];
  const text = exact(state.least);
  const band = bandOf(state.least)[1];
  at("least").replaceChildren(el("b", {}, text), "or over");
  at("slider").setAttribute("aria-valuetext", `${text} or over, ${band}`);
  [...at("bars").children].forEach((bar, k) => bar.classList.toggle("over", k >= chosen));
}

// Many steps of the slider in one frame are drawn once.
let waiting = 0;
const soon = () => { waiting ||= requestAnimationFrame(() => { waiting = 0; render(); }); };

at("views").addEventListener("click", (event) => {
  const button = event.target.closest("[data-view]");
  if (button) chooseView(button.dataset.view);
});
at("slider").addEventListener("input", () => { chooseLeast(); soon(); });
at("search").addEventListener("input", () => { state.query = at("search").value; soon(); });
at("sort").addEventListener("change", () => { state.sort = at("sort").value; render(); });
at("list").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.dataset.mark) mark(button.dataset.mark);
  else if (button?.dataset.more) more(+button.dataset.more, button);
  else if (button?.dataset.at) look(+button.dataset.at, +button.dataset.step);
});
at("differ").addEventListener("click", () => mark(keyOf(shown.a, shown.b)));
at("save").addEventListener("click", save);
at("forget").addEventListener("click", () => { differ.clear(); saved = true; showMarks(document); });
at("before").addEventListener("click", () => go(-1));
at("next").addEventListener("click", () => go(1));
at("close").addEventListener("click", () => at("look").close());
at("turn").addEventListener("change", turnBack);
at("look").addEventListener("click", (event) => { if (event.target === at("look")) at("look").close(); }); // beside it
at("look").addEventListener("keydown", (event) => {
  if (event.key === "ArrowLeft") go(-1);
  else if (event.key === "ArrowRight") go(1);
  else if (event.key === "n" || event.key === "N") mark(keyOf(shown.a, shown.b));
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || at("look").open || event.target.matches("input, select")) return;
  event.preventDefault();
  at("search").focus();
});
addEventListener("beforeunload", (event) => { if (!saved) event.preventDefault(); });
addEventListener("beforeprint", () => {
  for (const block of [...at("list").getElementsByClassName("block")].slice(0, 12)) fill(block);
});

at("slider").max = thresholds.length - 1;
head();
histogram();
chooseLeast();
chooseView(state.view);
