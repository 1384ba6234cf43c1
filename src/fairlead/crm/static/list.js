/* Rows of a list, or of a list of work (data-rows), by keys: j and k walk, x ticks, Enter opens (the row's link has the focus). Which keys those are,
   and when they are silent, is fairlead.js's business: here are only the buttons that they press. Without this file
   the list is walked by Tab. */
(() => {
  "use strict";
  const rows = () => [...document.querySelectorAll(".crm-list tbody tr, [data-rows] > li")];
  const linkOf = (row) => row?.querySelector("th a, a");
  const here = () => rows().findIndex((row) => row.contains(document.activeElement));

  const acts = {
    next: () => step(1),
    back: () => step(-1),
    tick: () => rows()[here()]?.querySelector(".crm-pick input")?.click(),
  };
  function step(by) {
    const all = rows(), at = here();
    if (!all.length) return;
    const link = linkOf(all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + by, 0), all.length - 1)]);
    link?.focus();
    link?.closest("tr, li").scrollIntoView({ block: "nearest" });
  }
  /* The records of this list in their order, for [ and ] on the page of one of them. */
  document.addEventListener("click", (event) => {
    if (!event.target.closest(".crm-list tbody th a")) return;
    const list = rows().map((row) => linkOf(row)?.pathname).filter(Boolean);
    try { sessionStorage.setItem("fl-list", JSON.stringify(list)); } catch { /* private window */ }
  });
  for (const button of document.querySelectorAll("[data-walk]")) {
    button.hidden = false;
    button.addEventListener("click", () => acts[button.dataset.walk]());
  }
})();
