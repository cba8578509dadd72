// Voila's front end waits for the whole page before it starts. A page that is still being drawn has its first control
// long before: what Voila would do at "load" is kept here, and done once the control is in the page.
"use strict";
(() => {
  const kept = [], add = window.addEventListener.bind(window);
  let alive = false;
  const start = () => {
    if (alive || !kept.length || !document.querySelector(".live-control") || !document.getElementById("jupyter-config-data")) return;
    alive = true;
    watch.disconnect();
    window.addEventListener = add;
    kept.forEach((run) => run.call(window, new Event("load")));
  };
  const watch = new MutationObserver(start);
  watch.observe(document, { childList: true, subtree: true });
  window.addEventListener = (kind, run, ...how) => {
    if (kind !== "load" || document.currentScript?.src.includes("/spm/static/")) { add(kind, run, ...how); return; }
    kept.push(run);
    start();
  };
})();
