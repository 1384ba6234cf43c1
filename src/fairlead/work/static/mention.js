/* Names under a text, after an @: `data-mention` is the address that gives them. Arrows walk, Enter or Tab takes,
   Escape closes. The input method's keys never come here: fairlead.js keeps them. Without this file a name can be
   typed in full. */
(() => {
  "use strict";
  let field = null, box = null, start = -1, timer = 0, asked = 0, at = -1;

  const options = () => box ? [...box.children] : [];
  function close() {
    clearTimeout(timer);
    asked++;
    if (box) { box.remove(); box = null; }
    for (const name of ["aria-activedescendant", "aria-controls"]) field?.removeAttribute(name);
    at = -1;
  }
  function word() {
    const before = field.value.slice(0, field.selectionStart), found = before.match(/(?:^|[^A-Za-z0-9._%+-])@([^\s@]{0,20})$/);
    if (!found) return null;
    start = before.length - found[1].length;
    return found[1];
  }
  async function ask() {
    const query = word();
    if (query === null) return close();
    const mine = ++asked;
    const answer = await window.fairlead.send(`${field.dataset.mention}?q=${encodeURIComponent(query)}`, { quiet: true });
    if (!answer?.ok || mine !== asked) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const found = [...page.querySelectorAll("li")];
    if (!found.length) return close();
    if (!box) {
      box = document.createElement("ul");
      box.className = "work-mention";
      box.id = "mention-list";
      box.setAttribute("role", "listbox");
      box.setAttribute("aria-label", field.labels?.[0]?.textContent || "@");
      box.addEventListener("mousedown", (event) => { event.preventDefault(); const li = event.target.closest("li"); if (li) take(li); });
      field.after(box);
    }
    box.replaceChildren(...found);
    field.setAttribute("aria-controls", box.id);
    mark(0);
  }
  function mark(index) {
    const all = options();
    at = (index + all.length) % all.length;
    all.forEach((li, n) => li.setAttribute("aria-selected", String(n === at)));
    field.setAttribute("aria-activedescendant", all[at].id);
    all[at].scrollIntoView({ block: "nearest" });
  }
  function take(li) {
    const name = `${li.dataset.name} `, end = field.selectionStart;
    field.setRangeText(name, start, end, "end");
    field.dispatchEvent(new Event("input", { bubbles: true }));
    close();
    field.focus();
  }

  document.addEventListener("focusin", (event) => {
    if (event.target.matches?.("textarea[data-mention]")) {
      field = event.target;
      field.setAttribute("aria-autocomplete", "list");
      field.setAttribute("aria-haspopup", "listbox");
    } else if (box) close();
  });
  document.addEventListener("input", (event) => {
    if (event.target !== field || !field.isConnected) return;
    clearTimeout(timer);
    if (word() === null) return close();
    timer = setTimeout(ask, 120);
  });
  document.addEventListener("keydown", (event) => {
    if (!box || event.target !== field || event.defaultPrevented) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") mark(at + (event.key === "ArrowDown" ? 1 : -1));
    else if (event.key === "Enter" || event.key === "Tab") take(options()[at]);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }, true);
})();
