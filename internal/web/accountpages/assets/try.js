// Shows the result of a test mail or an examination without losing what was entered,
// the password included. Without it the result is a page of its own.
"use strict";
const form = document.getElementById("form");
const result = document.getElementById("result");

form.addEventListener("submit", async (event) => {
  const button = event.submitter;
  if (!button || (button.value !== "test" && button.value !== "doctor")) {
    return;
  }
  event.preventDefault();
  const data = new URLSearchParams(new FormData(form));
  data.set(button.name, button.value);
  const buttons = form.querySelectorAll("button");
  const note = document.createElement("p");
  note.className = "notice";
  const begin = Date.now();
  const show = () => {
    note.textContent = `${form.dataset.trying} ${Math.round((Date.now() - begin) / 1000)} s`;
  };
  show();
  result.replaceChildren(note);
  buttons.forEach((b) => { b.disabled = true; });
  const clock = setInterval(show, 1000);
  try {
    const response = await fetch(form.action, { method: "POST", body: data });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const found = page.querySelectorAll("#result > *, [role=alert]");
    if (found.length === 0) {
      throw new Error("no result");
    }
    result.replaceChildren(...found);
    const version = page.querySelector("#form [name=version]");
    if (version && response.ok) {
      form.elements.version.value = version.value;
    }
  } catch {
    note.className = "notice bad";
    note.textContent = form.dataset.lost;
    result.replaceChildren(note);
  } finally {
    clearInterval(clock);
    buttons.forEach((b) => { b.disabled = false; });
    button.focus();
  }
});
