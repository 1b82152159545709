// Shows the steps of a test mail or an examination while they are done, and the result
// without losing what was entered, the password included. Without it the result is a page
// of its own.
"use strict";
const form = document.getElementById("form");
const result = document.getElementById("result");

// lines gives each line of a response as soon as it is there.
const lines = async function* (response) {
  const decoder = new TextDecoder();
  const reader = response.body.getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    const parts = (rest + decoder.decode(value, { stream: !done })).split("\n");
    rest = parts.pop();
    yield* parts.filter((line) => line !== "").map((line) => JSON.parse(line));
    if (done) {
      return;
    }
  }
};

// item is a step as a line of the list.
const item = (step) => {
  const li = document.createElement("li");
  const title = document.createElement("b");
  title.textContent = step.title;
  li.append(title, `: ${step.verdict}. ${step.text}`);
  (step.hints || []).forEach((hint) => li.append(document.createElement("br"), `→ ${hint}`));
  return li;
};

// follow shows the steps, and gives the page that comes at the end.
const follow = async (response, list) => {
  if (!(response.headers.get("Content-Type") || "").startsWith("application/x-ndjson")) {
    return { ok: response.ok, page: await response.text() };
  }
  for await (const line of lines(response)) {
    if (line.page !== undefined) {
      return { ok: line.status === 200, page: line.page };
    }
    list.append(item(line));
  }
  throw new Error("no end");
};

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
  note.setAttribute("aria-live", "off"); // the seconds; each step is read out
  const list = document.createElement("ol");
  list.id = "steps";
  list.setAttribute("aria-label", form.dataset.steps);
  const begin = Date.now();
  const show = () => {
    note.textContent = `${form.dataset.trying} ${Math.round((Date.now() - begin) / 1000)} s`;
  };
  show();
  result.replaceChildren(note, list);
  buttons.forEach((b) => { b.disabled = true; });
  const clock = setInterval(show, 1000);
  try {
    const answer = await follow(await fetch(form.action, { method: "POST", body: data, headers: { Accept: "application/x-ndjson" } }), list);
    const page = new DOMParser().parseFromString(answer.page, "text/html");
    const found = page.querySelectorAll("#result > *, [role=alert]");
    if (found.length === 0) {
      throw new Error("no result");
    }
    result.replaceChildren(...found);
    const version = page.querySelector("#form [name=version]");
    if (version && answer.ok) {
      form.elements.version.value = version.value;
    }
  } catch {
    note.className = "notice bad";
    note.textContent = form.dataset.lost;
    result.replaceChildren(note, list);
  } finally {
    clearInterval(clock);
    buttons.forEach((b) => { b.disabled = false; });
    button.focus();
  }
});
