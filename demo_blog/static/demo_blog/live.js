// Keeps every element with data-live="address" up to date while its page is looked at.
"use strict";

const EVERY_MS = 1000;

async function refresh(region) {
  const answer = await fetch(region.dataset.live, { cache: "no-store" });
  if (!answer.ok) return;
  const fresh = document.createElement("div");
  fresh.innerHTML = await answer.text();
  if (fresh.children.length !== region.children.length) region.replaceChildren(...fresh.childNodes);
  // What has not changed stays untouched, so that a selection or a focused link survives.
  [...fresh.children].forEach((part, index) => {
    const shown = region.children[index];
    if (!part.isEqualNode(shown)) shown.replaceWith(part);
  });
}

async function follow(region) {
  if (!document.hidden) await refresh(region).catch(() => {});
  setTimeout(follow, EVERY_MS, region);
}

document.querySelectorAll("[data-live]").forEach((region) => setTimeout(follow, EVERY_MS, region));
