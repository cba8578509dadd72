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
  // The widget manager gives up on a model it has waited two seconds for, even when it came just then: begin again, once.
  const lost = () => live.querySelector(".live-control")?.textContent.includes("model not found");
  const tried = `spm again ${location.pathname}`, typed = () => [...document.querySelectorAll("form[data-write]")].some(
    (form) => [...form.elements].some((field) => field.value && field.defaultValue !== undefined && field.value !== field.defaultValue));
  const look = () => {
    if (alive()) { observer.disconnect(); clearTimeout(timer); sessionStorage.removeItem(tried); settle("alive"); }
    else if (lost() && !sessionStorage.getItem(tried) && !typed()) { sessionStorage.setItem(tried, "1"); location.reload(); }
  };
  const observer = new MutationObserver(look);
  const timer = setTimeout(() => { observer.disconnect(); settle(alive() ? "alive" : "dead"); }, 30000);
  observer.observe(live, { childList: true, subtree: true });
  look();
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

// A form goes to the server without leaving the page; what it answers stands below it, and nothing typed is lost.
function sendForms() {
  const cookie = (name) => document.cookie.split("; ").find((part) => part.startsWith(`${name}=`))?.slice(name.length + 1) ?? "";
  const ready = (root) => root.querySelectorAll("form[data-write] button").forEach((button) => { button.disabled = false; });
  document.addEventListener("submit", async (event) => {
    const form = event.target.closest("form[data-write]");
    if (!form) return;
    event.preventDefault();
    const button = form.querySelector("button"), said = form.querySelector(":scope > .said");
    form.dataset.request ||= crypto.randomUUID();  // the same words sent twice are kept once
    const body = new URLSearchParams(new FormData(form));
    body.set("request", form.dataset.request);
    body.set("_xsrf", cookie("_xsrf"));
    button.disabled = true;
    form.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(form.action, { method: "POST", body, headers: { "X-XSRFToken": cookie("_xsrf") } });
      said.innerHTML = await answer.text();  // written by our server, every text escaped there
      if (answer.ok) { form.reset(); delete form.dataset.request; }
    } catch {
      const line = document.createElement("p");
      line.className = "refused";
      line.setAttribute("role", "alert");
      line.textContent = form.dataset.lost;
      said.replaceChildren(line);
    }
    form.removeAttribute("aria-busy");
    button.disabled = false;
    ready(said);
  });
  const here = new MutationObserver(() => ready(document));
  here.observe(document.body, { childList: true, subtree: true });
  ready(document);
}

sendForms();
watchLive();
watchKernel();
