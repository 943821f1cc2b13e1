// Follows what happens to the page that is shown: the server sends the parts of it that
// have changed, and when it last looked. Nothing is asked for while nobody looks.
import { become } from "./morph.js";
import { tell } from "./times.js";

const late = 15000; // without a word from the server, what is shown is old

let source = null;
let heard = 0; // when the server last said that what is shown is so, by our clock
let trouble = "";

export function follow() {
  if (document.documentElement.dataset.refresh === "off" || !document.querySelector("[data-part]")) return;
  document.addEventListener("visibilitychange", () => (document.hidden ? stop() : start()));
  addEventListener("pagehide", stop);
  addEventListener("pageshow", (e) => e.persisted && start());
  heard = Date.now();
  setInterval(age, 1000);
  if (!document.hidden) start();
}

function start() {
  if (source) return;
  const page = location.pathname + location.search;
  source = new EventSource(document.documentElement.dataset.root + "/live?page=" + encodeURIComponent(page));
  source.addEventListener("part", (e) => show(JSON.parse(e.data)));
  source.addEventListener("beat", () => { heard = Date.now(); trouble = ""; age(); });
  source.addEventListener("trouble", (e) => { trouble = JSON.parse(e.data); age(); });
  source.addEventListener("gone", () => { stop(); trouble = "this is not there any more"; age(); });
}

function stop() {
  if (source) source.close();
  source = null;
}

function show(part) {
  const old = document.querySelector(`[data-part="${CSS.escape(part.name)}"]`);
  if (!old) return;
  const fresh = document.createElement("template");
  fresh.innerHTML = part.html; // what the server has rendered, as it renders the page
  tell(fresh.content);
  become(old, fresh.content.firstElementChild);
  old.dispatchEvent(new CustomEvent("leat:shown", { bubbles: true }));
}

function age() {
  const at = document.getElementById("age");
  if (!at) return;
  const ms = Date.now() - heard;
  const old = trouble || ms > late;
  at.dataset.live = old ? "late" : "on";
  const text = (trouble ? trouble + ": " : "") + (ms < 2000 ? "live" : `as it was ${Math.round(ms / 1000)} s ago`);
  if (at.textContent !== text) at.textContent = text;
}

// look has the server asked at once for what is shown.
export function look() {
  stop();
  start();
}
