// Deeds without leaving the page: their forms in a dialog, what came of them as a toast,
// and rows that are chosen. Without it all of that is pages.
import { look } from "./live.js";
import { tell } from "./times.js";

export function act() {
  document.addEventListener("click", click);
  document.addEventListener("submit", submit);
  document.addEventListener("change", chosen);
  document.addEventListener("leat:shown", chosen);
  ready(document);
  chosen();
}

// ready shows what is only of use with a script.
function ready(within) {
  for (const one of within.querySelectorAll("[data-pick-all], [data-copy-text]")) one.hidden = one.matches("[data-copy-text]") && !navigator.clipboard;
}

async function write(button) {
  await navigator.clipboard.writeText(button.parentElement.nextElementSibling.textContent);
  button.textContent = "Copied";
}

function click(e) {
  if (e.defaultPrevented || e.button || e.ctrlKey || e.metaKey || e.shiftKey && !e.target.matches("[name=pick]") || e.altKey) return;
  const box = e.target.closest("input[name=pick]");
  if (box) return range(e, box);
  if (e.target.closest("dialog [data-close]")) {
    e.preventDefault();
    e.target.closest("dialog").close();
    return;
  }
  const copy = e.target.closest("[data-copy-text]");
  if (copy) return write(copy);
  const link = e.target.closest("a[data-deed], a[href*='/deed/']");
  if (!link || link.target || link.origin !== location.origin) return;
  e.preventDefault();
  open(link.href);
}

// open shows the form at an address in a dialog, or goes there if that cannot be.
async function open(address, body) {
  try {
    const answer = await fetch(address, { method: body ? "POST" : "GET", body, headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const form = page.querySelector("form#deed");
    if (!answer.ok || !form) return location.assign(address);
    show(form, page.querySelector("h1").textContent);
  } catch {
    location.assign(address);
  }
}

function show(form, title) {
  let d = document.getElementById("deed-dialog");
  if (!d) {
    d = document.createElement("dialog");
    d.id = "deed-dialog";
    d.addEventListener("close", () => d.replaceChildren());
    document.body.append(d);
  }
  const head = document.createElement("h2");
  head.id = "deed-title";
  head.textContent = title;
  d.setAttribute("aria-labelledby", head.id);
  form.classList.remove("sheet");
  d.replaceChildren(head, document.adoptNode(form));
  tell(d);
  ready(d);
  if (!d.open) d.showModal();
  (form.querySelector("[aria-invalid], input:not([type=hidden]), textarea, select") || form.querySelector("button")).focus();
}

async function submit(e) {
  const form = e.target;
  if (!form.matches("form[data-deed]") || e.defaultPrevented) return;
  const button = e.submitter;
  const method = button?.getAttribute("formmethod") || form.getAttribute("method");
  const address = button?.hasAttribute("formaction") ? button.formAction : form.action;
  const said = new URLSearchParams(new FormData(form, button));
  e.preventDefault();
  if (method.toLowerCase() === "get" || said.get("all") && !said.has("count")) return open(address + "?" + said);
  if (button?.name === "show") return open(address, said);
  if (button) button.disabled = true;
  try {
    await post(form, address, said);
  } catch {
    toast("the dashboard does not answer", true);
  } finally {
    if (button) button.disabled = false;
  }
}

async function post(form, address, said) {
  const answer = await fetch(address, { method: "POST", body: said, headers: { Accept: "application/json" } });
  const text = await answer.text();
  let what;
  try { what = JSON.parse(text); } catch { what = { detail: text || answer.statusText }; }
  const dialog = form.closest("dialog");
  if (!answer.ok) return dialog ? fault(form, what) : toast(what.detail, true);
  dialog?.close();
  toast(what.message, what.bad, what.address);
  for (const box of document.querySelectorAll("[name=pick]:checked, [data-pick-all]:checked")) box.checked = false;
  chosen();
  look();
}

// fault says in a form why it was refused.
function fault(form, what) {
  let note = form.querySelector(".note.bad[role=alert]");
  if (!note) {
    note = document.createElement("p");
    note.className = "note bad";
    note.setAttribute("role", "alert");
    form.prepend(note);
  }
  note.textContent = [what.detail, what.hint].filter(Boolean).join(" ");
  for (const bad of form.querySelectorAll("[aria-invalid]")) bad.removeAttribute("aria-invalid");
  const at = what.field && form.elements.namedItem(what.field);
  if (at instanceof HTMLElement) {
    at.setAttribute("aria-invalid", "true");
    at.focus();
  } else {
    note.scrollIntoView({ block: "nearest" });
  }
}

// toast shows what came of something for a while.
export function toast(text, bad, address) {
  const t = document.createElement("div");
  t.className = bad ? "toast bad" : "toast";
  t.textContent = text;
  if (address) {
    const link = document.createElement("a");
    link.href = address;
    link.textContent = " Look at it";
    t.append(link);
  }
  document.getElementById("toasts").append(t);
  setTimeout(() => t.remove(), bad || address ? 15000 : 6000);
}

const boxes = () => [...document.querySelectorAll("input[name=pick]")];
let last = null; // the box that was clicked last

// range gives all boxes from the last one to box its state, if the shift key is held.
function range(e, box) {
  if (e.shiftKey && last?.isConnected) {
    const all = boxes();
    const [from, to] = [all.indexOf(last), all.indexOf(box)].sort((a, b) => a - b);
    for (const one of all.slice(from, to + 1)) one.checked = box.checked;
  }
  last = box;
  chosen();
}

// chosen says how many rows are chosen, and has what is done to several wait for some.
function chosen(e) {
  const all = boxes();
  if (e?.target?.matches?.("[data-pick-all]")) for (const box of all) box.checked = e.target.checked;
  const n = all.filter((box) => box.checked).length;
  for (const one of document.querySelectorAll("[data-pick-all]")) {
    one.hidden = false;
    one.checked = n > 0 && n === all.length;
    one.indeterminate = n > 0 && n < all.length;
  }
  for (const form of document.querySelectorAll("form#picks")) {
    const every = form.elements.namedItem("all")?.checked;
    form.querySelector("[data-picked]").textContent = every ? "With all that match:" : n ? `With ${n} chosen:` : "Choose some, or all that match:";
    for (const button of form.querySelectorAll("button")) button.disabled = !n && !every;
  }
}
