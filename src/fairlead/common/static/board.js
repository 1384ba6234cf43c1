/* The board: moves that show at once and take themselves back, keys, menus, and news of others within two seconds.
 * Loaded on the board alone, after vendor/sortable.min.js and fairlead.js. Without it cards and menus are plain links.
 *
 * What the page gives
 *   .fl-board[data-token-url][data-token][data-words]     words: JSON {move_to, why, back, moved, panel_stale} with {stage} and {name}
 *   .fl-col[id="col-KEY"][data-stage=KEY][data-name] > .fl-col__head .n, [data-why]  and  > .fl-cards
 *   .fl-card[data-journey][data-version][data-legal="KEY KEY won lost hold"][data-move-url]
 *     [data-close-url]   GET ?as=won|lost|hold: the form that asks for the reason or the date
 *     [data-whys]        optional JSON {KEY: why this stage is closed}; else data-words.why
 *     a.fl-card__name    the record;  a.fl-card__move[data-move]  the menu (a page with a plain form without a script)
 *   .fl-zones > .fl-zone[data-stage=won|lost|hold][data-name], #panel, #toasts, #live as in base.html
 *
 * What the server answers
 *   POST data-move-url  to, version
 *     200  pieces of the page: any elements with ids that are here (col-KEY, board-sum …), or nothing: then the board asks
 *          for its news at once. A note and its undo come as HX-Trigger {"toast": {text, undo}}.
 *     422  the gate panel: goes into #panel; the card waits in the new column, its old place stays dashed. When the panel
 *          closes the card goes back. The panel's own form posts by htmx and answers HX-Trigger {"moved": {}}.
 *     409  the card goes back; the sentence of the refusal ([data-message] or a problem document) is shown and read.
 *     else the card goes back, with the reason.
 *   GET data-token-url?token=T
 *     204 or 304 nothing new;  200 the pieces that changed, the new token in the header X-Board-Token
 */
(() => {
  "use strict";
  const { say, toast, send, reason, poll, openPanel, closePanel, typing } = window.fairlead;
  const board = document.querySelector(".fl-board");
  if (!board) return;
  const html = document.documentElement;
  const words = JSON.parse(board.dataset.words || "{}");
  const fill = (text, values) => (text || "").replace(/\{(\w+)\}/g, (_, key) => values[key] ?? "");
  const columns = () => [...board.querySelectorAll(".fl-col")];
  const zones = () => [...document.querySelectorAll(".fl-zones .fl-zone")];
  const cardIn = (root, journey) => root.querySelector(`.fl-card[data-journey="${CSS.escape(journey)}"]:not(.is-slot)`);
  const cardOf = (journey) => cardIn(board, journey);
  const legal = (card, stage) => (card.dataset.legal || "").split(" ").includes(stage);
  const nameOf = (card) => card.querySelector(".fl-card__name").textContent.trim();
  const why = (card, stage) => { try { return JSON.parse(card.dataset.whys || "{}")[stage] || words.why || ""; } catch { return words.why || ""; } };

  let dragging = null;        // {card, back}: the card in the hand
  let pressed = false;        // a pointer is down on a card that may yet be dragged
  let held = null;            // {card, to, back, recount, slot}: the card that waits at a gate
  let waiting = null;         // news that came meanwhile
  const sent = new Set();     // journeys whose answer is not here yet

  /* ── a move ─────────────────────────────────────────── */
  /* A function that puts the card, or another element, where the card is now. */
  function place(card) {
    const parent = card.parentElement, next = card.nextElementSibling;
    return (element = card) => {
      const list = parent.isConnected ? parent : document.getElementById(parent.closest(".fl-col")?.id)?.querySelector(".fl-cards");
      if (!list) return;
      const focused = element.contains(document.activeElement);
      list.insertBefore(element, next?.parentElement === list ? next : next ? list.firstChild : null);
      if (focused) element.querySelector(".fl-card__name").focus({ preventScroll: true });
    };
  }
  function count(list, by) {
    const n = list?.closest(".fl-col")?.querySelector(".fl-col__title .n");
    if (n && /^\d+$/.test(n.textContent)) n.textContent = +n.textContent + by;
  }

  async function move(card, to, back, from) {
    const journey = card.dataset.journey, list = card.parentElement;
    const stage = list.closest(".fl-col")?.dataset.name || "";
    count(from, -1);
    count(list, 1);
    card.classList.add("is-sent");
    sent.add(journey);
    const answer = await send(card.dataset.moveUrl, { method: "POST", body: { to, version: card.dataset.version } });
    sent.delete(journey);
    card.classList.remove("is-sent");
    const undo = () => { back(); count(from, 1); count(list, -1); };
    if (!answer) { undo(); return settle(); }
    if (answer.ok) {
      card.classList.add("is-landed");
      say(fill(words.moved, { name: nameOf(card), stage }));
      const text = answer.status === 204 ? "" : await answer.text();
      if (text.trim()) repaint(text, answer.headers.get("X-Board-Token"));
      else news.now();
      return settle();
    }
    if (answer.status === 422 && !(answer.headers.get("Content-Type") || "").includes("json")) {
      const text = await answer.text();
      release();
      hold(card, to, back, () => { count(from, 1); count(list, -1); });
      fillPanel(text, card);
      return settle();
    }
    const said = await reason(answer);
    undo();
    const text = [said, fill(words.back, { name: nameOf(card) })].filter(Boolean).join(" ");
    toast(text, { seconds: 8 });
    if (answer.status === 409) news.now();
    settle();
  }

  function fillPanel(text, card) {
    const panel = document.getElementById("panel");
    const page = new DOMParser().parseFromString(text, "text/html");
    panel.replaceChildren(...page.body.childNodes);
    window.htmx?.process(panel);
    window.fairlead.dress(panel);
    openPanel(card.querySelector(".fl-card__name"));
    card.scrollIntoView({ block: "nearest", inline: "center" });
  }

  /* Somebody settled an item, or moved the deal, while its panel stands open: ask for the panel as it is now. What is
     being typed stays; then the next answer of the panel tells the truth. */
  async function refreshPanel() {
    const panel = document.getElementById("panel"), body = panel?.querySelector("[data-again]");
    if (!body || panel.hidden || panel.querySelector(".htmx-request")) return;
    const written = (field) => field.type !== "hidden" && (field.matches("select") ? [...field.options].some((o) => o.selected !== o.defaultSelected && !(o.index === 0 && o.selected)) : field.type === "file" ? field.files.length : field.value !== field.defaultValue || field.checked !== field.defaultChecked);
    if ([...panel.querySelectorAll("input, textarea, select")].some(written)) return say(words.panel_stale || "");
    const answer = await send(body.dataset.again, { quiet: true });
    if (!answer?.ok || !body.isConnected) return;
    const open = [...panel.querySelectorAll("details[open] > summary")].map((summary) => summary.textContent.trim());
    const inside = panel.contains(document.activeElement), id = inside ? document.activeElement.id : "";
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const oob of page.querySelectorAll("[hx-swap-oob]")) oob.remove();
    panel.replaceChildren(...page.body.childNodes);
    for (const summary of panel.querySelectorAll("details > summary")) if (open.includes(summary.textContent.trim())) summary.parentElement.open = true;
    window.htmx?.process(panel);
    window.fairlead.dress(panel);
    if (inside) ((id && document.getElementById(id)) || panel.querySelector("h2"))?.focus({ preventScroll: true });
    say(panel.querySelector("h2")?.textContent.trim() || "");
  }

  function asSlot(element) {
    element.classList.add("is-slot");
    element.classList.remove("is-held", "is-landed");
    element.removeAttribute("data-journey");
    element.removeAttribute("style");
    element.inert = true;
    return element;
  }
  function hold(card, to, back, recount) {
    const slot = asSlot(card.cloneNode(true));
    back(slot);
    card.classList.add("is-held");
    held = { card, to, back, recount, slot };
  }
  function release(goBack = true) {
    if (!held) return;
    const { card, back, recount, slot } = held;
    held = null;
    card.classList.remove("is-held");
    if (goBack) { if (slot.isConnected) slot.before(card); else back(); recount(); }
    slot.remove();
  }
  document.addEventListener("fl:panel-closed", () => { if (held) { release(); news.now(); } });
  document.body.addEventListener("moved", () => { release(false); closePanel(); news.now(); });
  document.addEventListener("fl:changed", () => news.now());

  async function close(card, as) {
    const url = card.dataset.closeUrl;
    if (!url) return;
    const answer = await send(url + (url.includes("?") ? "&" : "?") + "as=" + as);
    if (answer?.ok) fillPanel(await answer.text(), card);
    else if (answer) toast(await reason(answer), { seconds: 8 });
  }
  function choose(card, stage) {
    if (["won", "lost", "hold"].includes(stage) && !document.getElementById("col-" + stage)) return close(card, stage);
    const list = document.getElementById("col-" + stage)?.querySelector(".fl-cards");
    if (!list) return;
    const back = place(card), from = card.parentElement;
    list.prepend(card);
    card.querySelector(".fl-card__name").focus({ preventScroll: true });
    card.scrollIntoView({ block: "nearest", inline: "nearest" });
    move(card, stage, back, from);
  }

  /* ── dragging ───────────────────────────────────────── */
  function light(card) {
    html.classList.toggle("is-dragging", !!card);
    for (const column of columns()) {
      const stage = column.dataset.stage, own = card && column.contains(card);
      column.classList.toggle("is-lit", !!card && !own && legal(card, stage));
      column.classList.toggle("is-dim", !!card && !own && !legal(card, stage));
      const line = column.querySelector("[data-why]");
      if (line) line.textContent = card && !own && !legal(card, stage) ? why(card, stage) : "";
    }
    for (const zone of zones()) zone.classList.toggle("is-off", !!card && !legal(card, zone.dataset.stage));
    document.querySelector(".fl-zones")?.setAttribute("aria-hidden", String(!card));
  }
  /* Over a stage that is closed to it the card goes home at once, so that letting go there changes nothing. */
  function astray(card, event) {
    const point = event?.changedTouches?.[0] || event;
    const over = point && document.elementFromPoint(point.clientX, point.clientY)?.closest(".fl-col, .fl-zone");
    return !over || (!over.contains(card) && !legal(card, over.dataset.stage));
  }
  document.addEventListener("pointermove", (event) => {
    if (dragging && astray(dragging.card, event)) { dragging.back(); for (const zone of zones()) zone.classList.remove("is-over"); }
  }, { passive: true });
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const wide = matchMedia("(min-width: 768px)");

  function equip(root) {
    if (!window.Sortable || !wide.matches) return;
    for (const list of root.querySelectorAll(".fl-cards")) {
      if (Sortable.get(list)) continue;
      let from = null, back = null;
      Sortable.create(list, {
        group: { name: "board", put: (to, _from, card) => legal(card, to.el.closest("[data-stage]").dataset.stage) },
        draggable: ".fl-card:not(.is-slot)", filter: ".fl-card__move", preventOnFilter: false, sort: false,
        forceFallback: true, fallbackOnBody: true, fallbackTolerance: 5, animation: still ? 0 : 180,
        ghostClass: "is-slot", chosenClass: "is-chosen", dragClass: "is-lifted", scrollSensitivity: 70,
        onChoose: () => { pressed = true; },
        onUnchoose: () => { pressed = false; settle(); },
        onStart: ({ item }) => { closeMenu(); release(); closePanel(); from = item.parentElement; back = place(item); dragging = { card: item, back }; light(item); },
        onMove: ({ to }) => { for (const zone of zones()) zone.classList.toggle("is-over", zone === to); },
        onEnd: ({ item, to, originalEvent }) => {
          dragging = null;
          if (astray(item, originalEvent)) { back(); to = from; }
          light(null);
          for (const zone of zones()) zone.classList.remove("is-over");
          if (to.matches(".fl-zone")) { back(); close(item, to.dataset.stage); settle(); }
          else if (to !== from) move(item, to.closest(".fl-col").dataset.stage, back, from);
          else settle();
        },
      });
    }
  }
  if (window.Sortable) {
    for (const zone of zones()) Sortable.create(zone, { group: { name: "board", put: (to, _from, card) => legal(card, zone.dataset.stage) }, sort: false, draggable: ".fl-card" });
  }

  /* ── the move menu ──────────────────────────────────── */
  let menu = null, menuCard = null;
  function openMenu(card) {
    closeMenu();
    menuCard = card;
    menu = document.createElement("div");
    menu.className = "fl-pop";
    menu.setAttribute("role", "menu");
    menu.setAttribute("aria-label", fill(words.move_to, { name: nameOf(card) }));
    const title = document.createElement("h3");
    title.textContent = fill(words.move_to, { name: nameOf(card) });
    title.setAttribute("aria-hidden", "true");
    menu.append(title);
    const own = card.closest(".fl-col")?.dataset.stage;
    const places = [...columns().map((c) => [c.dataset.stage, c.dataset.name]), ...zones().map((z) => [z.dataset.stage, z.dataset.name])];
    for (const [stage, name] of places) {
      if (stage === own) continue;
      const item = document.createElement("button");
      item.type = "button";
      item.setAttribute("role", "menuitem");
      item.tabIndex = -1;
      item.dataset.stage = stage;
      item.textContent = name;
      if (!legal(card, stage)) {
        item.setAttribute("aria-disabled", "true");
        const small = document.createElement("small");
        small.textContent = why(card, stage);
        item.append(small);
      }
      menu.append(item);
    }
    document.body.append(menu);
    const at = card.getBoundingClientRect();
    menu.style.left = Math.max(8, Math.min(at.right - menu.offsetWidth, innerWidth - menu.offsetWidth - 8)) + "px";
    menu.style.top = Math.max(8, Math.min(at.top + 30, innerHeight - menu.offsetHeight - 8)) + "px";
    // The next stage on is what is wanted most: there the focus stands, not on the way back.
    const order = columns().map((column) => column.dataset.stage), legalItems = [...menu.querySelectorAll("button:not([aria-disabled])")];
    (legalItems.find((item) => order.indexOf(item.dataset.stage) > order.indexOf(own)) || legalItems[0] || menu.querySelector("button")).focus();
  }
  function closeMenu(refocus = false) {
    if (!menu) return;
    menu.remove();
    menu = null;
    if (refocus) menuCard?.querySelector(".fl-card__name").focus({ preventScroll: true });
  }
  document.addEventListener("click", (event) => {
    const item = event.target.closest(".fl-pop button");
    if (item && menu?.contains(item)) {
      event.preventDefault();
      if (item.getAttribute("aria-disabled")) return;
      const card = menuCard;
      closeMenu(true);
      return choose(card, item.dataset.stage);
    }
    const dots = event.target.closest("[data-move]");
    if (dots && board.contains(dots) && !event.ctrlKey && !event.metaKey) { event.preventDefault(); return openMenu(dots.closest(".fl-card")); }
    if (menu && !menu.contains(event.target)) closeMenu();
  });

  /* ── keys ───────────────────────────────────────────── */
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229) return;
    if (menu?.contains(event.target)) {
      const items = [...menu.querySelectorAll("button")], i = items.indexOf(document.activeElement);
      const to = { ArrowDown: i + 1, ArrowUp: i - 1, Home: 0, End: items.length - 1 }[event.key];
      if (to !== undefined) items[(to + items.length) % items.length].focus();
      else if (event.key === "Escape" || event.key === "Tab") closeMenu(true);
      else return;
      event.preventDefault();
      event.stopPropagation();
      return;
    }
    const card = event.target.closest?.(".fl-board .fl-card");
    if (!card || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (event.key.toLowerCase() === "m") { event.preventDefault(); event.stopPropagation(); if (card.dataset.legal) openMenu(card); return; }
    if (event.key.toLowerCase() === "a" && card.dataset.legal) {  // what happened with this deal, without leaving the board
      event.preventDefault(); event.stopPropagation();
      const deal = card.querySelector(".fl-card__name").getAttribute("href");
      window.htmx?.ajax("GET", deal.replace(/opportunities\/(\d+)\/$/, "about/opportunity/$1/log/"), "#dialog");
      return;
    }
    const cards = (column) => [...column.querySelectorAll(".fl-card:not(.is-slot)")];
    const all = columns(), column = card.closest(".fl-col"), row = cards(column).indexOf(card);
    let next = null;
    if (event.key === "ArrowDown") next = cards(column)[row + 1];
    else if (event.key === "ArrowUp") next = cards(column)[row - 1];
    else if (event.key === "Home") next = cards(column)[0];
    else if (event.key === "End") next = cards(column).at(-1);
    else if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      const by = event.key === "ArrowRight" ? 1 : -1;
      for (let c = all.indexOf(column) + by; all[c] && !next; c += by) { const there = cards(all[c]); next = there[Math.min(row, there.length - 1)]; }
    } else return;
    event.preventDefault();
    next?.querySelector(".fl-card__name").focus();
  }, true);

  /* ── news of others ─────────────────────────────────── */
  function repaint(text, token) {
    if (dragging || pressed || sent.size || menu) { waiting = [text, token]; return; }
    const page = new DOMParser().parseFromString(text, "text/html");
    const active = document.activeElement, journey = active?.closest?.(".fl-card")?.dataset.journey;
    const part = active?.matches?.(".fl-card__move") ? ".fl-card__move" : ".fl-card__name";
    const shown = document.querySelector("#panel [data-again]")?.dataset.ofJourney;
    let stale = false;
    for (const fresh of [...page.body.children]) {
      const old = fresh.id && document.getElementById(fresh.id);
      if (!old) continue;
      const now = shown && cardIn(fresh, shown), then = now && cardOf(shown);
      const foot = (card) => card?.querySelector(".fl-card__foot")?.textContent.replace(/\s+/g, " ").trim();
      if (now && (foot(now) !== foot(then) || (then?.dataset.version || now.dataset.version) !== now.dataset.version)) stale = true;
      fresh.removeAttribute("hx-swap-oob");
      for (const card of fresh.querySelectorAll(".fl-card")) {
        const was = cardOf(card.dataset.journey);
        if (!was || was.closest("[id]").id !== fresh.id || was.dataset.version !== card.dataset.version) card.classList.add("is-landed");
      }
      renew(old, fresh);
    }
    equip(board);
    if (stale) refreshPanel();
    if (token) board.dataset.token = token;
    if (journey && document.activeElement !== active) cardOf(journey)?.querySelector(part)?.focus({ preventScroll: true });
  }
  /* What has not changed stays where it is, with its focus and its layout: only the cards that differ are exchanged. A
     morning's sweep changes a few cards of every column, and 250 new ones at once hold up whoever is typing. */
  function renew(old, fresh) {
    const list = old.querySelector(":scope > .fl-cards"), wanted = fresh.querySelector(":scope > .fl-cards");
    if (!list || !wanted) { if (!same(old, fresh)) take(fresh, (node) => old.replaceWith(node)); return; }
    const hadSlot = held && list.contains(held.slot), hadCard = held && list.contains(held.card);
    const head = old.querySelector(":scope > .fl-col__head"), newHead = fresh.querySelector(":scope > .fl-col__head");
    for (const { name, value } of fresh.attributes) if (name !== "class") old.setAttribute(name, value);
    if (!same(head, newHead)) take(newHead, (node) => head.replaceWith(node));
    fillList(list, [...wanted.children]);
    if (hadSlot) {
      const again = cardIn(list, held.card.dataset.journey);
      if (again) { held.card.dataset.version = again.dataset.version; held.slot = asSlot(again); }
    }
    if (hadCard) {
      // It arrived where it waits to go: the news was quicker than the answer to the move.
      if (cardIn(list, held.card.dataset.journey)) { held.slot.remove(); held = null; } else list.prepend(held.card);
    }
  }
  function fillList(list, wanted) {
    const kept = new Map();
    for (const card of list.children) if (card.dataset.journey && card !== held?.card) kept.set(card.dataset.journey, card);
    const nodes = wanted.map((fresh) => {
      const old = fresh.dataset.journey ? kept.get(fresh.dataset.journey) : fresh.id && list.querySelector(`:scope > #${CSS.escape(fresh.id)}`);
      return old && same(old, fresh) ? old : fresh;
    });
    const staying = new Set(nodes);
    for (const child of [...list.children]) if (!staying.has(child)) child.remove();
    let at = list.firstElementChild;
    for (const node of nodes) {
      if (node === at) { at = at.nextElementSibling; continue; }
      if (node === at?.nextElementSibling) { at.remove(); at = node.nextElementSibling; continue; }  // it comes later
      if (node.ownerDocument === document) list.insertBefore(node, at);
      else take(node, (one) => list.insertBefore(one, at));
    }
  }
  /* Whether the server would draw it as it stands here; what scripts have added since does not count. */
  function same(here, fresh) {
    if (here.isEqualNode(fresh)) return true;
    const [a, b] = [here, fresh].map((one) => {
      const copy = one.cloneNode(true);
      copy.classList.remove("is-landed", "is-sent", "is-chosen", "htmx-request");
      if (!copy.getAttribute("style")) copy.removeAttribute("style");
      if (!copy.className) copy.removeAttribute("class");
      return copy;
    });
    return a.isEqualNode(b);
  }
  function take(node, put) {
    document.adoptNode(node);
    put(node);
    window.htmx?.process(node);
    window.fairlead.dress(node);
  }
  function settle() {
    if (!waiting || dragging || pressed || sent.size) return;
    const [text, token] = waiting;
    waiting = null;
    repaint(text, token);
  }
  const news = board.dataset.tokenUrl
    ? poll(() => board.dataset.tokenUrl + (board.dataset.tokenUrl.includes("?") ? "&" : "?") + "token=" + encodeURIComponent(board.dataset.token || ""),
      +board.dataset.every || 1500, async (answer) => { repaint(await answer.text(), answer.headers.get("X-Board-Token")); })
    : { now() {}, stop() {} };

  equip(board);
})();
