// Side by side
let shown = null; // { place, step }
function look(place, step) {
  const item = items[place];
  const { a, b, score, words, turn } = views[state.view].pairOf(item, step);
  const pair = pairs.find((p) => (p[A] === a && p[B] === b) || (p[A] === b && p[B] === a));
  shown = { place, step, a, b };
  at("score").textContent = score === null ? "–" : written(score);
  at("verdict").textContent = score === null ? "below the threshold" : bandOf(score)[1];
  at("verdict").style.setProperty("--band", score === null ? "" : bandOf(score)[2]);
  const steps = views[state.view].steps(item);
  const within = steps > 1 ? `, ${step + 1} of ${number(steps)}` : "";
  at("place").textContent = `${state.view.slice(0, -1)} ${number(place + 1)} of ${number(items.length)}${within}`;
  at("how").textContent = words;
  at("sides").replaceChildren(side(a), side(b));
  const parts = (pair ? data.parts : []).map((name, k) => [name, pair[PARTS + k]]).filter(([, value]) => value !== null);
  at("parts").replaceChildren(...parts.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value.toFixed(3)))));
  at("turning").hidden = !turn;
  at("before").disabled = !stepped(-1);
  at("next").disabled = !stepped(1);
  turnBack();
  showMarks(document);
  if (!at("look").open) at("look").showModal();
}

function side(i) {
  const link = { href: pictures[i][LINK], target: "_blank", rel: "noopener noreferrer", title: visible(pictures[i][PATH]) };
  return el("figure", {},
    el("span", { className: "frame" }, thumbnail(i)),
    el("figcaption", {}, el("a", link, nameOf(i)), el("span", { className: "facts" }, factsOf(i))));
}

// The member before or after, else the last or first of the neighbouring item; null at the ends.
function stepped(by) {
  const { place, step } = shown;
  const steps = views[state.view].steps;
  if (step + by >= 0 && step + by < steps(items[place])) return [place, step + by];
  return items[place + by] ? [place + by, by > 0 ? 0 : steps(items[place + by]) - 1] : null;
}
const go = (by) => { const to = stepped(by); if (to) look(...to); };

function turnBack() {
  const { turn } = views[state.view].pairOf(items[shown.place], shown.step);
  const picture = at("sides").lastChild.querySelector("img");
  const back = `${turn > 3 ? "scaleX(-1) " : ""}rotate(${-90 * (turn % 4)}deg)`;
  if (picture) picture.style.transform = at("turn").checked && turn ? back : "";
}
