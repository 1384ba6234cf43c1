/* Dragging beside the buttons: an item put elsewhere sends the same edit as “move up” and “move down”. */
(() => {
  "use strict";
  const sortable = () => {
    if (!window.Sortable) return;
    for (const list of document.querySelectorAll("[data-sort]:not(.has-sort)")) {
      list.classList.add("has-sort");
      window.Sortable.create(list, {
        handle: ".grip",
        animation: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 150,
        onEnd: ({ item, oldIndex, newIndex }) => {
          const form = item.querySelector(".dg-drag");
          if (!form || oldIndex === newIndex) return;
          form.elements.to.value = newIndex;
          form.requestSubmit();
        },
      });
    }
  };
  document.addEventListener("htmx:afterSettle", sortable);
  sortable();
})();
