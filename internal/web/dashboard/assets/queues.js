// asynqmon shows nowhere why something was refused. The answers to its clicks are
// shown here, in the server's words.
(() => {
  const open = XMLHttpRequest.prototype.open;
  XMLHttpRequest.prototype.open = function (method, ...rest) {
    if (method.toUpperCase() !== "GET") {
      this.addEventListener("loadend", () => {
        const line = document.getElementById("said");
        let said = this.responseText;
        try {
          said = JSON.parse(said).said;
        } catch {
          // a refusal is plain text
        }
        line.textContent = said || line.dataset.silent;
        line.className = this.status >= 200 && this.status < 300 ? "" : "refused";
      });
    }
    open.call(this, method, ...rest);
    this.setRequestHeader("Accept-Language", document.getElementById("rohrpost").lang);
  };
})();
