"use strict";
const stack = document.getElementById("stack");
const slider = document.getElementById("slider");
if (stack && slider) {
  const show = () => stack.style.setProperty("--at", slider.value + "%");
  const follow = (event) => {
    const box = stack.getBoundingClientRect();
    slider.value = 100 * (event.clientX - box.left) / box.width;
    show();
  };
  slider.addEventListener("input", show);
  stack.addEventListener("pointermove", (event) => {
    if (stack.classList.contains("wipe") && (event.pointerType === "mouse" || event.buttons)) follow(event);
  });
  for (const choice of document.querySelectorAll("input[name=how]")) {
    choice.addEventListener("change", () => { stack.className = "stack " + choice.value; });
  }
  show();
}
const points = document.getElementById("points");
if (points) {
  points.addEventListener("change", () => {
    document.getElementById("matches").classList.toggle("off", !points.checked);
  });
}
