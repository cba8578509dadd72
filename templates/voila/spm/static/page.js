// Small and optional: everything people came for is in the page before this runs.
"use strict";

// Voila's front end calls these; our page has nothing to uncover.
window.display_cells = window.voila_finish = () => {};

// Keys that would leave the page half read: none. Open the table behind a chart before printing.
window.addEventListener("beforeprint", () => {
  document.querySelectorAll("details[data-print]").forEach((element) => { element.open = true; });
});

// A live control says that it is not alive yet, until its widget is in the page; after a while, that it will not be.
function watchLive() {
  const live = document.querySelector("[data-live]");
  if (!live) return;
  const alive = () => live.querySelector(".jupyter-widgets [role=slider]") !== null;
  const label = (handle) => handle.closest(".widget-inline-hbox, .jupyter-widgets")?.querySelector(".widget-label")?.textContent;
  const name = () => live.querySelectorAll("[role=slider]").forEach((handle) => handle.setAttribute("aria-label", label(handle) || live.dataset.label));
  const settle = (state) => { name(); live.dataset.live = state; live.setAttribute("aria-busy", String(state === "waiting")); };
  const observer = new MutationObserver(() => {
    if (alive()) { observer.disconnect(); clearTimeout(timer); settle("alive"); }
  });
  const timer = setTimeout(() => { observer.disconnect(); settle(alive() ? "alive" : "dead"); }, 30000);
  observer.observe(live, { childList: true, subtree: true });
}

// The kernel behind the controls ends when the page is left open for long; say so instead of going silent.
function watchKernel() {
  const config = document.getElementById("jupyter-config-data");
  const live = document.querySelector("[data-live]");
  if (!config || !live) return;
  const id = JSON.parse(config.textContent).kernelId;
  const timer = setInterval(async () => {
    if (document.hidden) return;
    let gone = false;
    try { gone = !(await fetch(`/api/kernels/${id}`)).ok; } catch { gone = true; }
    if (!gone) return;
    clearInterval(timer);
    live.dataset.live = "dead";
    document.getElementById("lost").hidden = false;
  }, 20000);
}

watchLive();
watchKernel();
