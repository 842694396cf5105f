// Judging by the keyboard, and how far one is. The form works without this.
"use strict";

(() => {
  const form = document.getElementById("judging");
  const items = [...form.querySelectorAll(".judged-hit")];
  const told = document.getElementById("graded");
  let current = -1;

  const choices = (item) => [...item.querySelectorAll("input[type=radio]")];
  const isGraded = (item) => choices(item).some((one) => one.checked && one.value !== "");

  const tell = () => {
    if (items.length) told.textContent = `${items.filter(isGraded).length} of ${items.length} graded`;
  };

  const go = (place) => {
    if (place < 0 || place >= items.length) return;
    if (current >= 0) items[current].classList.remove("current");
    current = place;
    items[current].classList.add("current");
    items[current].scrollIntoView({ block: "nearest" });
    (choices(items[current]).find((one) => one.checked) || choices(items[current])[0]).focus();
  };

  const grade = (value) => {
    const chosen = current >= 0 && choices(items[current]).find((one) => one.value === value);
    if (!chosen) return false;
    chosen.checked = true;
    tell();
    go(current + 1);
    return true;
  };

  form.addEventListener("change", tell);
  form.addEventListener("focusin", (event) => {
    const place = items.indexOf(event.target.closest(".judged-hit"));
    if (place >= 0 && place !== current) {
      if (current >= 0) items[current].classList.remove("current");
      current = place;
      items[current].classList.add("current");
    }
  });

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.closest("input:not([type=radio]), textarea, select")) return;
    const key = event.key.toLowerCase();
    if (key === "j") go(current + 1);
    else if (key === "k") go(current - 1);
    else if (key === "s") form.requestSubmit();
    else if (key === "x" ? !grade("") : !/^[0-9]$/.test(key) || !grade(key)) return;
    event.preventDefault();
  });

  // What is not graded yet comes first.
  tell();
  const first = items.findIndex((item) => !isGraded(item));
  if (first >= 0) go(first);
})();
