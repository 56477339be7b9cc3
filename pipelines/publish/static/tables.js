/* What Datasette's own scripts leave out: names and keys for what they make; a folded part that the address names is unfolded. */
"use strict";

const unfold = () => {
  const part = location.hash && document.getElementById(location.hash.slice(1));
  const folded = part && part.closest("details");
  if (folded && !folded.open) {
    folded.open = true;
    part.scrollIntoView();
  }
};

/* The menus of table.js are opened by a click alone, and appended to the page, far from their heads. */
const giveKeys = (icon) => {
  const head = icon.closest("th");
  icon.setAttribute("role", "button");
  icon.setAttribute("tabindex", "0");
  icon.setAttribute("aria-label", `${head.closest("table").dataset.menu}: ${head.dataset.column}`);
  icon.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      icon.querySelector("circle").dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true }));
      const menu = document.querySelector(".dropdown-menu");
      menu.onkeydown = (pressed) => {
        if (pressed.key === "Escape") {
          menu.style.display = "none";
          icon.focus();
        }
      };
      [...menu.querySelectorAll("a")].find((link) => link.offsetParent)?.focus();
    }
  });
};

addEventListener("hashchange", unfold);
addEventListener("load", () => {
  unfold();
  document.querySelectorAll(".dropdown-menu-icon").forEach(giveKeys);
  document.querySelector(".CodeMirror textarea")?.setAttribute("aria-label", "SQL");
  document.querySelectorAll(".content textarea").forEach((box) => box.setAttribute("aria-label", box.name));
});
