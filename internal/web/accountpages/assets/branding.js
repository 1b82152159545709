// Shows each change in the preview soon after it was made. Without it there is a button.
"use strict";
const look = document.getElementById("look");
const show = document.getElementById("show");
let soon;

look.addEventListener("input", () => {
  clearTimeout(soon);
  soon = setTimeout(() => look.requestSubmit(show), 400);
});
