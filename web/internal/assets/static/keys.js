// Keys: those of the terminal dashboard, where both have the same.
import { palette } from "./palette.js";

const root = document.documentElement.dataset.root;
const places = { o: "/", q: "/queues", t: "/tasks", g: "/groups", s: "/servers", p: "/entries", r: "/runs", b: "/storage", a: "/audit", e: "/settings" };

let waiting = 0; // since when a g waits for what comes after it

export function listen() {
  addEventListener("keydown", press);
}

function press(e) {
  if ((e.ctrlKey || e.metaKey) && e.key === "k") {
    e.preventDefault();
    palette();
    return;
  }
  if (e.ctrlKey || e.metaKey || e.altKey) return;
  if (e.key === "Escape") return leave(e);
  if (e.target.closest("input:not([type=checkbox]), textarea, select, dialog")) return;
  const after = Date.now() - waiting < 1500;
  waiting = 0;
  if (after && places[e.key]) return go(e, places[e.key]);
  switch (e.key) {
    case "g": waiting = Date.now(); break;
    case "/": focus(e); break;
    case "?": go(e, "/help"); break;
    case "j": case "k": move(e, e.key === "j" ? 1 : -1); break;
    case "x": tick(e); break;
    case "Enter": case "o": open(e); break;
    case "n": case "p": follow(e, e.key === "n" ? "next" : "prev"); break;
  }
}

function go(e, path) {
  e.preventDefault();
  location.assign(root + path);
}

function focus(e) {
  const q = document.querySelector("main input[type=search], header input[type=search]");
  if (!q) return;
  e.preventDefault();
  q.focus();
  q.select();
}

function leave(e) {
  if (e.target.matches("input, textarea, select")) e.target.blur();
}

const rows = () => [...document.querySelectorAll("main table.rows > tbody > tr")];

function move(e, by) {
  const all = rows();
  if (!all.length) return;
  e.preventDefault();
  const old = all.findIndex((r) => r.classList.contains("at"));
  const at = Math.min(Math.max(old + by, 0), all.length - 1);
  if (old >= 0) all[old].classList.remove("at");
  all[at].classList.add("at");
  all[at].scrollIntoView({ block: "nearest" });
}

function current() {
  return document.querySelector("main table.rows > tbody > tr.at");
}

function tick(e) {
  const box = current()?.querySelector("input[type=checkbox]");
  if (!box) return;
  e.preventDefault();
  box.click();
}

function open(e) {
  if (e.target.closest("a, button, summary")) return;
  const link = current()?.querySelector("a[data-open]") || current()?.querySelector("a[href]");
  if (link) location.assign(link.href);
}

function follow(e, rel) {
  const link = document.querySelector(`main a[rel=${rel}]`);
  if (link) location.assign(link.href);
}
