/* How long a field takes: active seconds between focus and save, sent once with the form as the hidden field `_spent`
   ("name:seconds,…"). A pause of more than half a minute and a hidden tab do not count. Nothing is kept here. */
(() => {
  "use strict";
  const IDLE = 30000, MOST = 600, spent = new WeakMap(), now = () => performance.now();
  let form, name = "", since = 0, last = 0;
  const stop = () => {
    if (!name) return;
    const of = spent.get(form) || {};
    of[name] = (of[name] || 0) + Math.min(now(), last + IDLE) - since;
    spent.set(form, of);
    name = "";
  };
  const start = (e) => {
    stop();
    if (e?.form?.dataset.measured && e.name) [form, name, since, last] = [e.form, e.name, now(), now()];
  };
  addEventListener("focusin", (event) => start(event.target));
  addEventListener("input", () => {
    if (!name) return;
    since += Math.max(0, now() - last - IDLE);
    last = now();
  });
  document.addEventListener("visibilitychange", () => (document.hidden ? stop() : start(document.activeElement)));
  addEventListener("submit", ({ target }) => {
    if (!target.dataset?.measured) return;
    stop();
    const field = target.elements._spent || target.appendChild(Object.assign(document.createElement("input"), { type: "hidden", name: "_spent" }));
    field.value = Object.entries(spent.get(target) || {}).slice(0, 60).map(([of, ms]) => `${of}:${Math.min(MOST, Math.round(ms / 1000))}`).join();
  }, true);
  start(document.activeElement);
})();
