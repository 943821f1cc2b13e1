// Offers what a query may go on with, below the field in which it is written. The arrows
// choose, Tab or Enter takes what is chosen, Escape closes the list.
const root = document.documentElement.dataset.root;

export function begin() {
  for (const field of document.querySelectorAll("input[data-complete]")) attend(field);
}

function attend(field) {
  const list = document.createElement("ul");
  list.id = "offers-" + field.dataset.complete;
  list.className = "offers";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "What the query may go on with");
  list.hidden = true;
  field.after(list);
  for (const [name, value] of Object.entries({ role: "combobox", "aria-autocomplete": "list", "aria-controls": list.id, "aria-expanded": "false" })) field.setAttribute(name, value);

  let offers = [];
  let at = -1; // the one that is chosen
  let asked = 0;

  function close() {
    asked++;
    list.hidden = true;
    at = -1;
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
  }

  async function ask() {
    const mine = ++asked;
    const where = new URLSearchParams({ of: field.dataset.complete, q: field.value, at: field.selectionStart });
    try {
      const answer = await fetch(root + "/complete?" + where);
      if (mine !== asked || !answer.ok) return;
      offers = await answer.json();
    } catch {
      return; // without offers one can write as well
    }
    if (mine !== asked || document.activeElement !== field) return;
    show();
  }

  function show() {
    list.replaceChildren(...offers.map((offer, i) => {
      const item = document.createElement("li");
      item.id = list.id + "-" + i;
      item.setAttribute("role", "option");
      item.setAttribute("aria-selected", "false");
      const text = document.createElement("code");
      text.textContent = offer.text;
      const help = document.createElement("span");
      help.className = "help";
      help.textContent = offer.help || "";
      item.append(text, " ", help);
      item.addEventListener("mousedown", (e) => { e.preventDefault(); take(i); });
      return item;
    }));
    at = -1;
    list.hidden = offers.length === 0;
    field.setAttribute("aria-expanded", String(!list.hidden));
    field.removeAttribute("aria-activedescendant");
  }

  function choose(next) {
    list.children[at]?.setAttribute("aria-selected", "false");
    at = (next + offers.length) % offers.length;
    const item = list.children[at];
    item.setAttribute("aria-selected", "true");
    item.scrollIntoView({ block: "nearest" });
    field.setAttribute("aria-activedescendant", item.id);
  }

  function take(i) {
    const { text, from, to } = offers[i];
    field.setRangeText(text, from, to, "end");
    close();
    if (/[:~<>=.]$/.test(text)) ask();
  }

  field.addEventListener("input", ask);
  field.addEventListener("blur", close);
  field.addEventListener("keydown", (e) => {
    if (e.key === "ArrowDown" && list.hidden) { e.preventDefault(); ask(); return; }
    if (list.hidden) return;
    switch (e.key) {
      case "ArrowDown": e.preventDefault(); choose(at + 1); break;
      case "ArrowUp": e.preventDefault(); choose(at < 0 ? offers.length - 1 : at - 1); break;
      case "Enter": if (at >= 0) { e.preventDefault(); take(at); } break;
      case "Tab": if (at >= 0) { e.preventDefault(); take(at); } break;
      case "Escape": e.preventDefault(); e.stopPropagation(); close(); break;
    }
  });
}
