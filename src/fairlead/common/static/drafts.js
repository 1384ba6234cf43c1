/* Nothing typed is lost. What stands in a form with `data-draft` is kept in this browser until it is saved, and comes
   back with the page. When the session has ended, signing in opens over the page and what was to be sent goes on.

   Kept are texts only: no passwords, codes, files, numbers, addresses of mail; nothing with data-no-draft. A draft
   belongs to one person and one page, lives a week, and leaves with signing out. */
(() => {
  "use strict";
  const { toast, words } = window.fairlead, me = document.body.dataset.user || "";
  const WEEK = 7 * 24 * 3600 * 1000, PREFIX = `fl-draft:${me}:`, LONGEST = 200000;
  const store = (run) => { try { return run(localStorage); } catch { return null; } }; // a private window, or full
  const forms = (root) => [...(root.matches?.("form[data-draft]") ? [root] : []), ...root.querySelectorAll("form[data-draft]")];
  const keyOf = (form) => `${PREFIX}${location.pathname}:${form.dataset.draft}:${new URL(form.action, location.href).pathname}`;
  const fields = (form) => [...form.elements].filter((e) => e.name && e.matches("textarea, input[type=text], input:not([type])")
    && !e.matches("[data-no-draft], [autocomplete*=password], [autocomplete=one-time-code], [autocomplete^=cc-], [name=csrfmiddlewaretoken]"));

  function keep(form) {
    const typed = fields(form).filter((e) => e.value !== e.defaultValue).map((e) => [e.name, e.value.slice(0, LONGEST)]);
    store((s) => typed.length ? s.setItem(keyOf(form), JSON.stringify({ at: Date.now(), typed })) : s.removeItem(keyOf(form)));
  }
  const drop = (form) => store((s) => s.removeItem(keyOf(form)));

  function bringBack(root) {
    for (const form of forms(root)) {
      if (form.dataset.drafted) continue;
      form.dataset.drafted = "1";
      const kept = store((s) => JSON.parse(s.getItem(keyOf(form)) || "null"));
      if (!kept?.typed) continue;
      const back = fields(form).filter((e) => e.value === e.defaultValue).map((e) => [e, kept.typed.find(([name]) => name === e.name)?.[1]])
        .filter(([e, value]) => typeof value === "string" && value !== e.value);
      if (!back.length) continue;
      for (const [e, value] of back) e.value = value;
      toast(words.draft || "Your draft is back", { act: { text: words.discard || "Discard", run: () => { for (const [e] of back) e.value = e.defaultValue; drop(form); } } });
    }
  }

  let timer = 0, typedIn = null;
  function keepNow() {
    clearTimeout(timer);
    const form = typedIn;
    typedIn = null;
    if (form) keep(form);
  }
  document.addEventListener("input", (event) => {
    const form = event.target.closest?.("form[data-draft]");
    if (!form || event.isComposing) return;
    if (form !== typedIn) keepNow();
    typedIn = form;
    clearTimeout(timer);
    timer = setTimeout(keepNow, 250);
  });
  /* Whoever types and leaves at once, by a link or by another form such as that of the language, loses nothing either. */
  document.addEventListener("submit", keepNow, true);
  addEventListener("pagehide", keepNow);

  /* Plain forms: whether it was saved shows on the page that follows. */
  const SENT = `${PREFIX}sent`;
  function settle() {
    store((s) => {
      for (const key of Object.keys(s)) if (key.startsWith("fl-draft:") && key !== SENT) {
        let at = 0;
        try { at = JSON.parse(s.getItem(key)).at; } catch { /* not ours */ }
        if (!(Date.now() - at < WEEK)) s.removeItem(key);
      }
    });
    const sent = store((s) => s.getItem(SENT));
    if (!sent || !me) return;
    store((s) => s.removeItem(SENT));
    if (!document.querySelector(".fl-errsum, [aria-invalid=true], [data-message]")) store((s) => s.removeItem(sent));
  }

  /* ── the session has ended ──────────────────────────── */
  let waiting = null;
  function again() {
    waiting ??= new Promise((done) => {
      const dialog = document.createElement("dialog");
      dialog.id = "again";
      dialog.setAttribute("aria-labelledby", "again-title");
      const finish = (went) => { dialog.close(); dialog.remove(); waiting = null; done(went); };
      async function ask(how = {}) {
        let answer;
        try { answer = await fetch("/session", { credentials: "same-origin", headers: { "Accept-Language": document.documentElement.lang }, ...how }); }
        catch { toast(words.offline); return; }
        if (answer.status === 204) return finish(back(answer));
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const typed = dialog.querySelector("[name=username]")?.value;
        dialog.replaceChildren(...page.body.childNodes);
        const name = dialog.querySelector("[name=username]");
        if (name && typed) name.value = typed;
        (typed ? dialog.querySelector("[name=password]") : name)?.focus();
      }
      dialog.addEventListener("submit", (event) => {
        event.preventDefault();
        event.stopPropagation();
        const token = document.querySelector('meta[name="csrf-token"]')?.content || "";
        ask({ method: "POST", body: new URLSearchParams(new FormData(event.target)), headers: { "X-CSRFToken": token, "Accept-Language": document.documentElement.lang } });
      });
      dialog.addEventListener("click", (event) => {
        if (event.target.closest("[data-later]")) finish(false);
        else if (event.target.closest("[data-go-on]")) ask();
      });
      dialog.addEventListener("cancel", (event) => { event.preventDefault(); finish(false); });
      document.body.append(dialog);
      dialog.showModal();
      ask();
    });
    return waiting;
  }
  /* The same person goes on; anybody else begins at their own first page, and the draft waits for its owner. */
  function back(answer) {
    if (answer.headers.get("X-Fairlead-User") !== me) { location.assign("/"); return false; }
    const token = answer.headers.get("X-Fairlead-Token");
    const meta = document.querySelector('meta[name="csrf-token"]');
    if (meta) meta.content = token;
    for (const field of document.querySelectorAll("[name=csrfmiddlewaretoken]")) field.value = token;
    return true;
  }
  window.fairlead.signInAgain = again;

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post" || form.closest("#again")) return;
    if (new URL(form.action, location.href).pathname === "/sign-out") {
      store((s) => { for (const key of Object.keys(s)) if (key.startsWith(PREFIX)) s.removeItem(key); });
      return;
    }
    if (!form.matches("[data-draft]") || form.hasAttribute("hx-post") && window.htmx || form.dataset.checked) {
      delete form.dataset.checked;
      return;
    }
    event.preventDefault();
    keep(form);
    const submitter = event.submitter;
    let answer = null;
    try { answer = await fetch("/session", { credentials: "same-origin" }); } catch { toast(words.offline); return; }
    if (answer.status === 204 ? !back(answer) : !(await again())) return;
    store((s) => s.setItem(SENT, keyOf(form)));
    form.dataset.checked = "1";
    form.requestSubmit(submitter);
  });

  const on = (name, run) => document.body.addEventListener(name, run);
  on("htmx:beforeOnLoad", async (event) => {
    const { xhr, elt, requestConfig } = event.detail;
    if (xhr.status !== 401 || !me) return;
    event.preventDefault();
    const verb = requestConfig?.verb, trigger = requestConfig?.triggeringEvent?.type;
    if (!(await again()) || !elt.isConnected) return;
    if (elt.matches("form") && verb !== "get") elt.requestSubmit();
    else window.htmx.trigger(elt, trigger || "click");
  });
  on("htmx:afterRequest", (event) => {
    const form = event.detail.elt;
    if (form.matches?.("form[data-draft]") && event.detail.successful) drop(form);
  });
  on("htmx:afterSettle", (event) => bringBack(event.detail.target?.isConnected ? event.detail.target : document.body));

  settle();
  bringBack(document.body);
})();
