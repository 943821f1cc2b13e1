// Changes an element into another and keeps what is the same of it: what the user has
// ticked, typed, opened, scrolled to and selected there stays as it is.
export function become(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName || name(old) !== name(fresh)) {
    old.replaceWith(fresh);
    return;
  }
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
    return;
  }
  attributes(old, fresh);
  if (old.matches("textarea, select, [data-keep]")) return;
  children(old, fresh);
}

function name(node) {
  return node.nodeType === Node.ELEMENT_NODE ? node.getAttribute("id") || node.dataset?.key || "" : ""; // a form's .id may be a field of it
}

function attributes(old, fresh) {
  const opened = old.matches("details, dialog") && old.hasAttribute("open");
  const kept = new Set(["data-at"]); // which scripts of ours have set
  if (opened || old.matches("details")) kept.add("open");
  const at = old.classList.contains("at"); // the row that the user is at
  for (const a of [...old.attributes]) if (!fresh.hasAttribute(a.name) && !kept.has(a.name)) old.removeAttribute(a.name);
  for (const a of fresh.attributes) if (!kept.has(a.name) && old.getAttribute(a.name) !== a.value) old.setAttribute(a.name, a.value);
  if (at) old.classList.add("at");
}

// children makes the children of one element those of another. Those that have a name
// stay the same node wherever they go.
function children(old, fresh) {
  const named = new Map();
  for (const c of old.children) if (name(c)) named.set(name(c), c);
  let at = old.firstChild;
  for (const want of [...fresh.childNodes]) {
    const same = named.get(name(want));
    if (same && same.nodeName === want.nodeName) {
      if (same !== at) old.insertBefore(same, at);
      else at = at.nextSibling;
      become(same, want);
    } else if (at && !name(at) && at.nodeName === want.nodeName && !name(want)) {
      const next = at.nextSibling;
      become(at, want);
      at = next;
    } else {
      old.insertBefore(want, at);
    }
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}
