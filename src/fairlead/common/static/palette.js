/* The box at the top as a palette: goes, finds and does. Without it the box is a form that opens the search page.
 *
 *   form[data-palette="url"]  asks the url with q and at (the page), and shows what comes as options of a list
 *   Recently opened records are kept in this browser alone, for this person, and forgotten at sign-out.
 */
(() => {
  "use strict";
  const form = document.querySelector("[data-palette]");
  if (!form) return;
  const box = form.elements.q, list = document.getElementById("palette");
  const key = "fl-recent-" + form.dataset.me;
  const MOST = 6, RECORD = /^\/(opportunities|accounts|contacts|segments|contracts)\/(\d+)\/$/;
  const KINDS = { opportunities: "opportunity", accounts: "account", contacts: "contact", segments: "segment", contracts: "contract" };
  let asked = 0, timer = 0, wantsFirst = false, shown = "";

  const options = () => [...list.querySelectorAll("a[role=option]")];
  const active = () => list.querySelector("[aria-selected=true]");

  function recent() {
    try { return JSON.parse(localStorage.getItem(key) || "[]"); } catch { return []; }
  }
  function keep(rows) {
    try { localStorage.setItem(key, JSON.stringify(rows)); } catch { /* private window */ }
  }
  const here = location.pathname;
  if (RECORD.test(here)) {
    const name = (document.querySelector("h1")?.textContent || "").trim().slice(0, 120);
    const [, many, id] = RECORD.exec(here);
    // Whoever leaves at once has not read it; the list of the server is there on every device.
    setTimeout(() => fairlead.send(`/about/${KINDS[many]}/${id}/seen/`, { method: "POST", quiet: true }), 1500);
    if (name) keep([{ url: here, name }, ...recent().filter((r) => r.url !== here)].slice(0, MOST + 1));
  }
  for (const leave of document.querySelectorAll("form[action*='sign-out']")) leave.addEventListener("submit", () => { try { localStorage.removeItem(key); } catch { /* nothing kept */ } });

  function open(on) {
    list.hidden = !on;
    box.setAttribute("aria-expanded", String(on));
    if (!on) { choose(null); asked++; shown = ""; }
  }
  function choose(option) {
    active()?.setAttribute("aria-selected", "false");
    if (!option) return box.removeAttribute("aria-activedescendant");
    option.setAttribute("aria-selected", "true");
    box.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  }
  function recentGroup() {
    const rows = recent().filter((r) => r.url !== here && RECORD.test(r.url)).slice(0, MOST);
    if (!rows.length) return null;
    const group = document.createElement("div"), head = document.createElement("div");
    head.className = "fl-palette__head";
    head.setAttribute("role", "presentation");
    group.setAttribute("role", "group");
    group.setAttribute("aria-labelledby", "p-recent");
    head.id = "p-recent";
    head.textContent = form.dataset.recent;
    group.append(head, ...rows.map(({ url, name }, i) => {
      const option = document.createElement("a"), text = document.createElement("span");
      option.href = url;
      option.id = "p-recent-" + i;
      option.tabIndex = -1;
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", "false");
      text.className = "t";
      text.textContent = name;
      option.append(text);
      return option;
    }));
    return group;
  }
  async function ask() {
    const text = box.value.trim(), turn = ++asked;
    const url = form.dataset.palette + "?" + new URLSearchParams({ q: text, at: here });
    const answer = await fairlead.send(url, { quiet: true });
    if (turn !== asked || !answer?.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (turn !== asked) return;
    list.replaceChildren(...page.body.childNodes);
    if (!text) { const group = recentGroup(); if (group) list.prepend(group); }
    shown = text;
    open(true);
    const found = options();
    choose(text ? found[0] || null : null);
    fairlead.say(form.dataset.found.replace("0", found.length));
    if (wantsFirst) { wantsFirst = false; found[0] ? found[0].click() : form.submit(); }
  }
  const soon = (wait) => { clearTimeout(timer); timer = setTimeout(ask, wait); };

  box.setAttribute("role", "combobox");
  box.setAttribute("aria-autocomplete", "list");
  box.setAttribute("aria-controls", list.id);
  box.setAttribute("aria-expanded", "false");
  box.addEventListener("focus", () => { if (list.hidden) soon(0); });
  box.addEventListener("click", () => { if (list.hidden) soon(0); });
  box.addEventListener("input", () => { wantsFirst = false; soon(box.value.trim() ? 60 : 0); });
  box.addEventListener("keydown", (event) => {
    const found = options(), at = found.indexOf(active());
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) return soon(0);
      if (found.length) choose(found[(at + (event.key === "ArrowDown" ? 1 : -1) + found.length) % found.length]);
    } else if (event.key === "Escape" && !list.hidden) {
      event.preventDefault();
      event.stopPropagation();
      open(false);
    } else if (event.key === "Enter" && box.value.trim()) {
      event.preventDefault();
      if (shown === box.value.trim() && active()) active().click();
      else { wantsFirst = true; soon(0); }  // Enter came before the answer: the first one is meant
    } else if (event.key === "Enter" && active()) {
      event.preventDefault();
      active().click();
    } else if (event.key === "Tab") open(false);
  });
  list.addEventListener("pointermove", (event) => { const option = event.target.closest("a[role=option]"); if (option && option !== active()) choose(option); });
  list.addEventListener("mousedown", (event) => event.preventDefault());  // the box keeps the focus
  document.addEventListener("pointerdown", (event) => { if (!form.contains(event.target)) open(false); });
  window.addEventListener("pageshow", (event) => { if (event.persisted) { box.value = ""; open(false); } });
})();
