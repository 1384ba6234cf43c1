/* Fairlead in the browser. One deferred script, no dependency but htmx; every page also works without it.
 *
 *   data-keys="g b"        a shortcut: the element is clicked (a field is focused). Several, separated by spaces,
 *                          where one contains "+" or "/"; otherwise the words form one sequence.
 *   data-keys-label        what the help dialog says, else the text of the element
 *   data-open="id"         opens the <dialog> of that id;  data-close  closes the dialog or panel around it
 *   data-undo="url"        in a toast: posts there within ten seconds
 *   data-reveal="id"       shows and hides a password
 *   data-prop-x="61%"      becomes the custom property --fl-x (a strict policy forbids style attributes)
 *   data-focus             takes the focus when it arrives; before it the summary of a refused form, or its first wrong field
 *   data-poll="url"        with data-every (ms) and data-token: see fairlead.poll
 *   #panel, #dialog        whatever htmx puts there opens them; an empty answer closes them
 *   HX-Trigger: toast      {text, undo, kind};  say {text};  close-panel
 */
(() => {
  "use strict";
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const html = document.documentElement;
  const words = JSON.parse(document.body.dataset.words || "{}");
  const csrf = () => $('meta[name="csrf-token"]')?.content || "";
  const isPhone = () => matchMedia("(max-width: 767.98px)").matches;
  const store = {
    get: (key) => { try { return localStorage.getItem("fl-" + key); } catch { return null; } },
    set: (key, value) => { try { localStorage.setItem("fl-" + key, value); } catch { /* private window */ } },
  };

  /* ── said aloud ─────────────────────────────────────── */
  function say(text) {
    const live = $("#live");
    if (!live) return;
    live.textContent = "";
    setTimeout(() => { live.textContent = text; }, 60);
  }

  /* ── toasts: past tense, and a way back for ten seconds ─ */
  function toast(text, { undo = "", act = null, seconds = 10 } = {}) {
    const box = $("#toasts");
    if (!box) return null;
    const note = document.createElement("div");
    note.className = "fl-toast";
    const span = document.createElement("span");
    span.textContent = text;
    note.append(span);
    if (act) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = act.text;
      button.addEventListener("click", () => { note.remove(); act.run(); });
      note.append(button);
    }
    if (undo) {
      const button = document.createElement("button");
      button.type = "button";
      button.dataset.undo = undo;
      button.textContent = words.undo || "Undo";
      note.append(button);
    }
    while (box.children.length > 2) box.firstElementChild.remove();
    box.append(note);
    startToast(note, seconds);
    return note;
  }

  function startToast(note, seconds = 10) {
    const button = $("[data-undo]", note);
    if (button) acts.keep(button.dataset.undo);
    let left = seconds, held = false;
    const count = document.createElement("span");
    if (button) { count.setAttribute("aria-hidden", "true"); count.textContent = left; button.append(" ", count); }
    const tick = setInterval(() => {
      if (!note.isConnected) return clearInterval(tick);
      if (held || document.hidden) return;
      count.textContent = --left;
      if (left <= 0) { clearInterval(tick); note.remove(); }
    }, 1000);
    for (const [on, off] of [["pointerenter", "pointerleave"], ["focusin", "focusout"]]) {
      note.addEventListener(on, () => { held = true; });
      note.addEventListener(off, () => { held = false; });
    }
  }

  /* What this person did in this tab, by page; Ctrl+Z takes back the last of the page. The server asks anew. */
  const acts = {
    key: "fl-acts-" + (document.body.dataset.user || ""),
    all() { try { return JSON.parse(sessionStorage.getItem(this.key)) || []; } catch { return []; } },
    put(list) { try { sessionStorage.setItem(this.key, JSON.stringify(list.slice(-50))); } catch { /* private window */ } },
    keep(url) { this.put([...this.all().filter((act) => act.url !== url), { url, at: location.pathname }]); },
    drop(url) { this.put(this.all().filter((act) => act.url !== url)); },
    last() { return this.all().findLast((act) => act.at === location.pathname); },
  };

  async function undo(url, button = $(`[data-undo="${CSS.escape(url)}"]`)) {
    const note = button?.closest(".fl-toast");
    if (button?.disabled) return;
    if (button) button.disabled = true;
    const answer = await send(url, { method: "POST" });
    if (answer) acts.drop(url);
    note?.remove();
    if (!answer) return;
    if (!answer.ok) { toast(await reason(answer)); return; }
    document.dispatchEvent(new CustomEvent("fl:changed"));
    if (!$(".fl-board")) location.reload();
    else if (!answer.headers.get("HX-Trigger")) toast(words.undone || "Undone", { seconds: 4 });
  }

  /* ── asking the server ──────────────────────────────── */
  /* Like fetch, with the CSRF token and htmx's header, so that refusals come as pieces and an expired session as
     HX-Redirect. Fires what HX-Trigger names. Null when the page is leaving or there is no connection. */
  async function send(url, { method = "GET", body = null, headers = {}, quiet = false } = {}) {
    let answer;
    try {
      answer = await fetch(url, {
        method, credentials: "same-origin",
        body: body && !(body instanceof FormData) ? new URLSearchParams(body) : body,
        headers: { "HX-Request": "true", "HX-Current-URL": location.href, "X-CSRFToken": csrf(), ...headers },
      });
    } catch {
      if (!quiet) toast(words.offline || "No connection.");
      return null;
    }
    if (answer.status === 401 && window.fairlead.signInAgain) {
      if (quiet || !(await window.fairlead.signInAgain())) return null;
      return send(url, { method, body, headers });
    }
    const to = answer.headers.get("HX-Redirect");
    if (to && new URL(to, location.href).origin === location.origin) { location.assign(to); return null; }
    const events = answer.headers.get("HX-Trigger");
    if (events?.startsWith("{")) {
      for (const [name, detail] of Object.entries(JSON.parse(events))) document.body.dispatchEvent(new CustomEvent(name, { detail, bubbles: true }));
    }
    return answer;
  }

  /* The sentence of a refusal, whether it came as a problem document, a piece of a page or plain text. */
  async function reason(answer) {
    const text = await answer.text();
    if ((answer.headers.get("Content-Type") || "").includes("json")) {
      try { const doc = JSON.parse(text); return doc.title || doc.detail || doc.message || words.failed; } catch { return words.failed; }
    }
    const page = new DOMParser().parseFromString(text, "text/html");
    const said = (page.querySelector("[data-message]") || page.body).textContent.trim();
    return answer.status < 500 && said && said.length < 400 ? said : words.failed || "That did not work.";
  }

  /* Asks again and again while the page is seen: every(answer) for 200, nothing for 204 and 304.
     url may be a function. Slower after failures; stop() ends it; now() asks at once. */
  function poll(url, every, onNews) {
    let timer = 0, wait = every, stopped = false, busy = false, again = false;
    const next = () => { clearTimeout(timer); if (!stopped) timer = setTimeout(ask, wait); };
    async function ask() {
      if (busy) again = true;
      if (stopped || busy) return;
      if (document.hidden) return next();
      busy = true;
      const answer = await send(typeof url === "function" ? url() : url, { quiet: true });
      if (answer && (answer.ok || answer.status === 304)) {
        wait = every;
        if (answer.status === 200) await onNews(answer);
      } else wait = Math.min(wait * 2, 60000);
      busy = false;
      if (!again) return next();
      again = false;
      return ask();
    }
    document.addEventListener("visibilitychange", () => { if (!document.hidden) ask(); });
    next();
    return { now: ask, stop: () => { stopped = true; clearTimeout(timer); } };
  }

  /* What takes the focus in something that has just arrived: what went wrong goes before any heading. */
  const wanted = (root) => $(".fl-errsum[data-focus]", root) || $("[aria-invalid=true]", root) || $("[data-focus]", root);

  /* ── the side panel ─────────────────────────────────── */
  let opener = null;
  const panel = $("#panel");
  const openDialog = () => $("dialog[open]");

  function openPanel(from) {
    if (!panel) return;
    if (panel.hidden) opener = from || document.activeElement;
    panel.hidden = false;
    html.classList.add("has-panel");
    modal(isPhone());
    (wanted(panel) || $("h2", panel) || panel).focus({ preventScroll: true });
  }
  function closePanel() {
    if (!panel || panel.hidden) return;
    panel.hidden = true;
    panel.replaceChildren();
    html.classList.remove("has-panel");
    modal(false);
    document.dispatchEvent(new CustomEvent("fl:panel-closed"));
    const back = opener?.isConnected ? opener : $(`[data-journey="${CSS.escape(opener?.closest?.("[data-journey]")?.dataset.journey || "")}"] a`);
    (back || $("#main"))?.focus?.({ preventScroll: true });
    opener = null;
  }
  function modal(on) {
    panel.toggleAttribute("aria-modal", on);
    if (on) panel.setAttribute("aria-modal", "true");
    for (const part of $$("#frame, .fl-phonebar, .fl-pbar")) part.inert = on;
  }
  matchMedia("(max-width: 767.98px)").addEventListener("change", () => { if (panel && !panel.hidden) modal(isPhone()); });

  /* ── theme ──────────────────────────────────────────── */
  function setTheme(theme) {
    html.dataset.theme = theme;
    for (const button of $$("[data-themes] [name=theme]")) button.setAttribute("aria-pressed", String(button.value === theme));
  }

  /* ── clicks ─────────────────────────────────────────── */
  document.addEventListener("click", (event) => {
    const at = event.target.closest("a, button, summary, dialog, label");
    for (const menu of $$("details.fl-menu[open]")) if (!menu.contains(event.target)) menu.open = false;
    if (!at) return;
    if (at.matches("dialog") && event.target === at) return at.close();
    const off = at.closest("[aria-disabled=true]");
    if (off) {
      event.preventDefault();
      event.stopPropagation();
      const why = off.getAttribute("aria-description") || document.getElementById(off.getAttribute("aria-describedby"))?.textContent;
      if (why) say(why);
      return;
    }
    if (at.dataset.open) { event.preventDefault(); const dialog = document.getElementById(at.dataset.open); at.closest("details")?.removeAttribute("open"); if (dialog && !dialog.open) { fillKeys(dialog); dialog.showModal(); } }
    else if (at.hasAttribute("data-close")) {
      const dialog = at.closest("dialog");
      if (dialog) { event.preventDefault(); dialog.close(); }
      else if (panel?.contains(at)) { event.preventDefault(); closePanel(); }
    } else if (at.dataset.undo) undo(at.dataset.undo, at);
    else if (at.dataset.reveal) {
      const input = document.getElementById(at.dataset.reveal), shown = input.type === "password";
      input.type = shown ? "text" : "password";
      at.setAttribute("aria-pressed", String(shown));
    } else if (at.name === "theme" && at.closest("[data-themes]")) {
      event.preventDefault();
      setTheme(at.value);
      const form = at.form;
      send(form.action, { method: "POST", body: { theme: at.value, next: form.elements.next?.value || "" } });
    }
  }, true);

  /* ── keys ───────────────────────────────────────────── */
  /* An input method owns Enter, Escape and letters while it composes; Safari says 229 once more after its end. */
  window.addEventListener("keydown", (event) => {
    if (!event.isComposing && event.keyCode !== 229) return;
    event.stopImmediatePropagation();
    if (event.key === "Enter" && !event.isComposing) event.preventDefault();
  }, true);
  window.addEventListener("input", (event) => { if (event.isComposing) event.stopImmediatePropagation(); }, true);
  window.addEventListener("compositionend", (event) => {
    setTimeout(() => event.target.dispatchEvent(new Event("input", { bubbles: true })));
  }, true);

  /* The first Tab: without a place to begin at, Chromium looks at every element of the page, for one may want to be first,
     and has to lay out all that is not seen. It is given the beginning of the page, unless the reader has a place already. */
  let begun = !!location.hash;
  for (const sign of ["pointerdown", "focusin"]) document.addEventListener(sign, () => { begun = true; }, { capture: true, once: true });
  document.addEventListener("keydown", (event) => {
    if (begun || event.key !== "Tab" || event.shiftKey || document.activeElement !== document.body || getSelection().rangeCount) return;
    const start = document.createElement("span");
    start.tabIndex = -1;
    document.body.prepend(start);
    start.focus({ preventScroll: true });
    setTimeout(() => start.remove());
  }, true);

  const typing = (target) => target.closest?.("input:not([type=checkbox], [type=radio], [type=button], [type=submit]), textarea, select, [contenteditable=true]");
  const chords = (element) => { const raw = element.dataset.keys.trim(); return /[+/?]/.test(raw) && raw.includes(" ") ? raw.split(/\s+/) : [raw]; };
  const seen = (element) => element.getClientRects().length > 0 || element.closest(".fl-side, details");
  let typed = "", timer = 0;

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented) return;
    if (event.key === "Escape") {
      const menu = event.target.closest?.("details.fl-menu[open]") || $("details.fl-menu[open]");
      if (menu) { menu.open = false; $("summary", menu).focus(); return; }
      if (!openDialog() && panel && !panel.hidden && !event.target.closest?.(".fl-pop")) { closePanel(); return; }
      if (event.target.matches?.("[type=search]")) event.target.blur();
      return;
    }
    if (event.target.closest?.(".fl-menu__box, .fl-menu > summary") && !typing(event.target) && ["ArrowDown", "ArrowUp", "Home", "End"].includes(event.key)) return walkMenu(event);
    if (event.key === "Tab" && panel && !panel.hidden && isPhone()) return trap(event);
    const mod = (event.ctrlKey || event.metaKey) && !event.altKey;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (mod && key === "z" && !event.shiftKey) {
      const act = typing(event.target) || openDialog() ? null : acts.last();
      if (act && !event.repeat) { event.preventDefault(); undo(act.url); }
      return;
    }
    if (mod) return run("mod+" + key, event);
    if (event.altKey || event.ctrlKey || event.metaKey || typing(event.target) || openDialog() || store.get("keys") === "off" || event.key.length !== 1) return;
    clearTimeout(timer);
    timer = setTimeout(() => { typed = ""; }, 1200);
    typed = typed ? typed + " " + key : key;
    if (run(typed, event)) { typed = ""; return; }
    if (!$$("[data-keys]").some((e) => chords(e).some((c) => c.startsWith(typed + " ")))) { typed = ""; }
  });

  function run(chord, event) {
    const target = $$("[data-keys]").find((e) => chords(e).includes(chord) && seen(e));
    if (!target) return false;
    event.preventDefault();
    if (target.matches("input, textarea, select")) { target.focus(); target.select?.(); } else { if (target.matches("summary")) target.focus(); target.click(); }
    return true;
  }
  function walkMenu(event) {
    const menu = event.target.closest("details.fl-menu");
    const items = $$("a, button", $(".fl-menu__box", menu)).filter((e) => e.getClientRects().length);
    if (!menu.open && event.key === "ArrowDown") { menu.open = true; event.preventDefault(); setTimeout(() => $("a, button", $(".fl-menu__box", menu))?.focus()); return; }
    const i = items.indexOf(document.activeElement);
    const to = event.key === "Home" ? 0 : event.key === "End" ? items.length - 1 : (i + (event.key === "ArrowDown" ? 1 : -1) + items.length) % items.length;
    items[to]?.focus();
    event.preventDefault();
  }
  function trap(event) {
    const stops = $$("a[href], button, input, select, textarea, summary, [tabindex='0']", panel).filter((e) => e.getClientRects().length);
    if (!stops.length) return;
    const first = stops[0], last = stops[stops.length - 1];
    if (event.shiftKey && (document.activeElement === first || !stops.includes(document.activeElement))) { last.focus(); event.preventDefault(); }
    else if (!event.shiftKey && document.activeElement === last) { first.focus(); event.preventDefault(); }
  }
  function fillKeys(dialog) {
    const list = $("[data-keys-list]", dialog);
    if (!list) return;
    const known = new Set();
    list.replaceChildren(...$$("[data-keys]").filter((e) => seen(e) && !known.has(e.dataset.keys) && known.add(e.dataset.keys)).map((element) => {
      const row = document.createElement("div"), dt = document.createElement("dt"), dd = document.createElement("dd");
      dt.textContent = element.dataset.keysLabel || element.getAttribute("aria-label") || ($("span:not(.fl-count)", element) || element).textContent.trim();
      for (const chord of chords(element)) for (const key of chord.split(" ")) {
        const kbd = document.createElement("kbd");
        kbd.className = "fl-kbd";
        kbd.textContent = key.startsWith("mod+") ? (/Mac|iPhone|iPad/.test(navigator.platform) ? "⌘ " : "Ctrl ") + key.slice(4).toUpperCase() : key;
        dd.append(kbd);
      }
      row.append(dt, dd);
      return row;
    }));
    const check = $("[data-keys-switch]", dialog);
    check.checked = store.get("keys") !== "off";
    check.onchange = () => store.set("keys", check.checked ? "on" : "off");
  }

  /* ── what arrives ───────────────────────────────────── */
  function dress(root) {
    const found = document.evaluate("descendant-or-self::*[@*[starts-with(name(), 'data-prop-')]]", root, null, XPathResult.ORDERED_NODE_SNAPSHOT_TYPE, null);
    for (let i = 0; i < found.snapshotLength; i++) {
      const element = found.snapshotItem(i);
      for (const { name, value } of element.attributes) if (name.startsWith("data-prop-")) element.style.setProperty("--fl-" + name.slice(10), value);
    }
    for (const button of $$("[data-reveal][hidden]", root)) button.hidden = false;
    for (const element of $$("[data-poll]:not([data-polled])", root)) {
      element.dataset.polled = "";
      const every = +element.dataset.every || 5000;
      const job = poll(() => element.dataset.poll, every, async (answer) => {
        if (!element.isConnected) return job.stop();
        const text = await answer.text();
        if (element.contains(document.activeElement) && typing(document.activeElement)) return;
        window.htmx ? htmx.swap(element, text, { swapStyle: "outerHTML" }) : null;
        job.stop();
      });
    }
  }

  const on = (name, run) => document.body.addEventListener(name, run);
  on("htmx:configRequest", (event) => { if (event.detail.verb !== "get") event.detail.headers["X-CSRFToken"] = csrf(); });
  let going = 0;
  on("htmx:beforeRequest", () => { going++; html.classList.add("is-busy"); });
  on("htmx:afterRequest", () => { going = Math.max(0, going - 1); if (!going) html.classList.remove("is-busy"); });
  on("htmx:sendError", () => toast(words.offline || "No connection."));
  on("htmx:responseError", async (event) => {
    const xhr = event.detail.xhr;
    if (xhr.status === 401) return;
    toast(await reason(new Response(xhr.responseText, { status: xhr.status, headers: { "Content-Type": xhr.getResponseHeader("Content-Type") || "" } })), { seconds: 8 });
  });
  let before = null;
  on("htmx:beforeSwap", (event) => { before = event.detail.requestConfig?.elt || document.activeElement; });
  on("htmx:afterSettle", (event) => {
    const target = event.detail.target;
    const fresh = target?.isConnected ? target : document.body;
    dress(fresh);
    if (target?.id === "panel") return target.childElementCount ? openPanel(before) : closePanel();
    if (target?.id === "dialog") {
      if (!target.childElementCount) return target.close();
      if (!target.open) target.showModal();
      if ($(".fl-errsum, [aria-invalid=true]", target)) wanted(target)?.focus();
      else if (!target.contains(document.activeElement)) ($("[autofocus]", target) || wanted(target))?.focus();
      return;
    }
    const first = wanted(target?.isConnected ? target : event.target) || $("[data-focus]", fresh);
    if (first) first.focus();
    else if (document.activeElement === document.body && before && !before.isConnected) {
      const again = before.id ? document.getElementById(before.id) : null;
      (again || $("h1, h2, h3", fresh) || $("#main"))?.focus?.({ preventScroll: true });
    }
  });
  on("toast", (event) => toast(event.detail.text, { undo: event.detail.undo || "" }));
  on("say", (event) => say(event.detail.text || event.detail.value));
  on("close-panel", closePanel);

  dress(document.body);
  for (const note of $$("#toasts > .fl-toast")) startToast(note);
  wanted($("#main") || document.body)?.focus();

  window.fairlead = { say, toast, send, reason, poll, openPanel, closePanel, setTheme, dress, words, typing };
})();
