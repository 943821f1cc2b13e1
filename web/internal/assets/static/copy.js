// Copies what is stored, as it is, if it is text.
export function begin() {
  show();
  addEventListener("leat:shown", show);
  document.addEventListener("click", (e) => {
    const button = e.target.closest("[data-copy]");
    if (button) copy(button);
  });
}

function show() {
  if (navigator.clipboard) for (const b of document.querySelectorAll("[data-copy][hidden]")) b.hidden = false;
}

async function copy(button) {
  let said = "Copied";
  try {
    const answer = await fetch(button.dataset.copy);
    if (!answer.ok) throw new Error();
    await navigator.clipboard.writeText(await answer.text());
  } catch {
    said = "Not copied";
  }
  button.textContent = said;
  setTimeout(() => (button.textContent = "Copy"), 1500);
}
