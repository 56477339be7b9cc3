// Keys for the lists of the reading room, which is whole without them. Focus really moves, so that screen readers go along.

const ENTRIES = "main .entry :is(h2, h3) a, main tbody th a, main .turn a[rel=next]";
// On a keyboard of other letters the same key does the same.
const PLACES = { KeyJ: "j", KeyK: "k", KeyO: "o", KeyH: "h", Slash: "/" };

const list = document.getElementById("keys");
const box = document.getElementById("keys-on");
let on = remembered() !== "off";

function remembered(set) {
  try {
    return set ? localStorage.setItem("keys", set) : localStorage.getItem("keys");
  } catch { // a browser that keeps nothing for sites
    return null;
  }
}

function entries() {
  return [...document.querySelectorAll(ENTRIES)].filter((link) => link.getClientRects().length);
}

// The entry that comes next in a direction from where the focus is; where it is nowhere, the first one in sight.
function following(step) {
  const links = entries(), here = document.activeElement, main = document.querySelector("main");
  if (here === main || !main.contains(here)) {
    const seen = links.findIndex((link) => link.getBoundingClientRect().top >= 0);
    return links[step > 0 ? seen : (seen < 0 ? links.length : seen) - 1];
  }
  const before = links.filter((link) => here.compareDocumentPosition(link) & Node.DOCUMENT_POSITION_PRECEDING);
  const after = links.filter((link) => here.compareDocumentPosition(link) & Node.DOCUMENT_POSITION_FOLLOWING);
  return step > 0 ? after[0] : before.at(-1);
}

function go(step) {
  const link = following(step);
  link?.focus();
  link?.closest(".entry, tr")?.scrollIntoView({ block: "nearest" });
}

function open() {
  const here = document.activeElement, entry = here.closest(".entry, tr");
  (entries().find((link) => link === here) ?? entries().find((link) => entry?.contains(link)))?.click();
}

function search() {
  const field = document.querySelector("main input[type=search]") ?? document.querySelector("input[type=search]");
  field?.focus();
  field?.select();
}

const ACTIONS = {
  j: () => go(1),
  k: () => go(-1),
  o: open,
  h: () => document.querySelector("header .name").click(),
  "/": search,
  "?": () => list.togglePopover?.(),
};

function pressed(event) {
  const isOther = /^[^\x00-\x7f]$/.test(event.key), place = PLACES[event.code];
  return isOther && place ? (place === "/" && event.shiftKey ? "?" : place) : event.key;
}

document.addEventListener("keydown", (event) => {
  const isTyped = event.target.closest("input:not([type=checkbox]), select, textarea, [contenteditable]");
  if (!on || isTyped || event.ctrlKey || event.altKey || event.metaKey || event.isComposing || event.defaultPrevented) return;
  const key = pressed(event), isOpen = list.togglePopover && list.matches(":popover-open");
  if (!Object.hasOwn(ACTIONS, key) || (isOpen && key !== "?") || (event.repeat && !"jk".includes(key))) return;
  event.preventDefault();
  ACTIONS[key]();
});

box.checked = on;
box.closest("label").hidden = false;
box.addEventListener("change", () => {
  on = box.checked;
  remembered(on ? "on" : "off");
});
