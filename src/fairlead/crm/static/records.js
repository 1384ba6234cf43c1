/* Inline edit of one field: Enter saves, Escape cancels, Tab saves and opens the next. Without this file the same
   forms work as pages of their own. The input method's keys are kept from here by fairlead.js. */
(() => {
  "use strict";
  const form = (target) => target.closest?.("form[data-inline]");
  let next = "";

  document.addEventListener("keydown", (event) => {
    const at = form(event.target);
    if (!at || event.defaultPrevented || event.ctrlKey && event.key !== "Enter" || event.altKey || event.metaKey && event.key !== "Enter") return;
    const many = event.target.matches("textarea");
    if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      at.querySelector("[data-cancel]")?.click();
    } else if (event.key === "Enter" && event.target.matches("input, select") || event.key === "Enter" && many && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      at.requestSubmit();
    } else if (event.key === "Tab" && !event.shiftKey && event.target.matches("input, select, textarea")) {
      const cells = [...document.querySelectorAll(".crm-value")];
      const here = cells.indexOf(at.closest(".crm-value"));
      next = cells.slice(here + 1).find((cell) => cell.querySelector(".crm-edit"))?.id || "";
      event.preventDefault();
      at.requestSubmit();
    }
  });

  document.body.addEventListener("htmx:afterSettle", () => {
    if (!next) return;
    const cell = document.getElementById(next);
    next = "";
    cell?.querySelector(".crm-edit")?.click();
  });
  document.body.addEventListener("htmx:beforeSwap", (event) => { if (event.detail.xhr.status >= 400) next = ""; });

  /* The neighbours in the list from which this record was opened. */
  let list = [];
  try { list = JSON.parse(sessionStorage.getItem("fl-list")) || []; } catch { /* private window */ }
  const at = list.indexOf(location.pathname);
  for (const link of document.querySelectorAll("[data-beside]")) {
    const to = at < 0 ? "" : list[at + Number(link.dataset.beside)];
    const tab = new URLSearchParams(location.search).get("tab");
    if (to) { link.href = to + (tab ? "?tab=" + encodeURIComponent(tab) : ""); link.hidden = false; }
  }

  /* A number was tapped: back from the call, its log stands open, filled in. At a desk the page never left. */
  let called = "";
  const log = () => {
    const url = called;
    called = "";
    if (url) htmx.ajax("GET", url, { target: "#dialog", swap: "innerHTML" });
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-call]");
    if (!link) return;
    called = link.dataset.call;
    setTimeout(() => { if (called && !document.hidden) window.fairlead.toast(link.textContent.trim(), { act: { text: link.dataset.word, run: log } }); }, 1500);
  });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) log(); });
})();
