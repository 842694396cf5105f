// Results while typing. The page works without this: it only asks for the same pages sooner, and
// puts their results where the old ones were.
"use strict";

(() => {
  const PAUSE = 120; // milliseconds without a key before a search is sent
  const box = document.getElementById("q");
  const form = box.form;
  const status = document.getElementById("status");
  let timer;
  let running; // the AbortController of the latest search; an older answer never counts
  let shown = box.value;

  document.documentElement.classList.add("scripted");

  const addressOf = () => {
    const given = new URLSearchParams();
    if (box.value.trim()) given.set("q", box.value);
    // The type, filters and order that are chosen stay, as they do when the form is sent.
    for (const kept of form.querySelectorAll("input[type=hidden]")) given.set(kept.name, kept.value);
    return given.size ? `/?${given}` : "/";
  };

  const put = (page, address) => {
    const old = document.getElementById("results");
    const fresh = document.importNode(page.getElementById("results"), true);
    old.replaceWith(fresh);
    document.title = page.title;
    document.querySelector(".site-link").replaceWith(page.querySelector(".site-link"));
    const news = fresh.querySelector("[data-status]");
    status.textContent = news ? news.textContent.replace(/\s+/g, " ").trim() : "";
    history.replaceState(null, "", address);
    window.scrollTo({ top: 0 });
  };

  const search = async () => {
    clearTimeout(timer);
    if (box.value === shown) return;
    shown = box.value;
    if (running) running.abort();
    const own = (running = new AbortController());
    const address = addressOf();
    document.getElementById("results").setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(address, { headers: { Accept: "text/html" }, signal: own.signal });
      const text = await answer.text();
      if (own === running) put(new DOMParser().parseFromString(text, "text/html"), address);
    } catch (error) {
      if (own !== running) return; // a later search took over
      shown = null; // so that the same words can be tried again
      document.getElementById("results").removeAttribute("aria-busy");
      status.textContent = "The search did not get through. Press Enter to try again.";
    }
  };

  box.addEventListener("input", (event) => {
    if (event.isComposing) return; // an unfinished character of an input method is no word
    clearTimeout(timer);
    timer = setTimeout(search, PAUSE);
  });
  box.addEventListener("compositionend", () => {
    clearTimeout(timer);
    timer = setTimeout(search, PAUSE);
  });

  const links = () => [...document.querySelectorAll(".hit-title a")];

  // From the box into the results and back, with the arrow keys.
  const move = (step) => {
    const stops = [box, ...links()];
    const next = stops[stops.indexOf(document.activeElement) + step];
    if (next) next.focus();
    return Boolean(next);
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key === "/" && !typing) {
      event.preventDefault();
      box.focus();
      box.select();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const inside = event.target === box || event.target.closest(".hit-title");
      if (inside && move(event.key === "ArrowDown" ? 1 : -1)) event.preventDefault();
    } else if (event.key === "Escape" && event.target === box && box.value) {
      event.preventDefault();
      box.value = "";
      search();
    }
  });

  // Which hit was opened: what is learnt from it is which order of results is the best.
  const tell = (event) => {
    const link = event.target.closest(".hit-title a");
    const list = link && link.closest("[data-query]");
    if (!list || event.button > 1) return;
    const hit = link.closest(".hit");
    const opened = {
      id: `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`,
      query_id: list.dataset.query,
      kind: "click",
      type: hit.dataset.type,
      entity_id: hit.dataset.id,
      position: list.start + [...list.children].indexOf(hit),
    };
    navigator.sendBeacon("/v1/interactions", JSON.stringify({ events: [opened] }));
  };
  document.addEventListener("click", tell);
  document.addEventListener("auxclick", tell);
})();
