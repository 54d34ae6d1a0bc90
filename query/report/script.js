"use strict";
const changes = [...document.querySelectorAll("#list > details")];
const texts = new Map();
const find = document.getElementById("find");
const verdict = document.getElementById("verdict");
const count = document.getElementById("count");

function text(change) {
  if (!texts.has(change)) texts.set(change, change.textContent.toLowerCase());
  return texts.get(change);
}

function filter() {
  const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const change of changes) {
    const fits = (!verdict.value || change.dataset.verdicts.split(" ").includes(verdict.value))
      && words.every((word) => text(change).includes(word));
    change.hidden = !fits;
    if (fits) shown += 1;
  }
  count.textContent = shown === changes.length ? "" : `${shown} of the ${changes.length} changes here`;
}

function fold(open) {
  for (const change of changes) if (!change.hidden) change.open = open;
}

if (find) {
  document.getElementById("controls").hidden = false;
  find.addEventListener("input", filter);
  verdict.addEventListener("input", filter);
  document.getElementById("open").addEventListener("click", () => fold(true));
  document.getElementById("close").addEventListener("click", () => fold(false));
}

// What is printed is whole: all is unfolded, and nothing is filtered out.
let folded = [];
addEventListener("beforeprint", () => {
  folded = [...document.querySelectorAll("details:not([open])")];
  for (const details of folded) details.open = true;
  for (const change of changes) change.hidden = false;
});
addEventListener("afterprint", () => {
  for (const details of folded) details.open = false;
  if (find) filter();
});
