// Keys only; every page works without this file. "/" goes to the search, "n" to the next case.
"use strict";
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.target.closest("input, textarea, select")) return;
  const target = { "/": "[data-search]", n: "[data-next]", b: "[data-list]" }[event.key];
  const found = target && document.querySelector(target);
  if (!found) return;
  event.preventDefault();
  found.matches("a") ? found.click() : found.focus();
});
