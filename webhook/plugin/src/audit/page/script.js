"use strict";
(() => {
  const field = document.getElementById("filter");
  const told = document.getElementById("told");
  const order = new Intl.Collator(undefined, { numeric: true });
  const rows = [...document.querySelectorAll("tbody tr")];
  const words = new Map(rows.map((row) => [row, [...row.cells].map((cell) => cell.textContent).join("\n").toLowerCase()]));

  const filter = () => {
    const wanted = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of rows) row.hidden = !wanted.every((word) => words.get(row).includes(word));
    const shown = rows.filter((row) => !row.hidden).length;
    told.textContent = wanted.length ? `${shown} of ${rows.length} rows have “${field.value.trim()}”` : `${rows.length} rows`;
  };

  const fromAddress = () => {
    const match = /^#filter=(.*)$/.exec(location.hash);
    if (!match) return;
    try {
      field.value = decodeURIComponent(match[1]);
    } catch {
      field.value = match[1];
    }
    filter();
  };

  const sort = (head) => {
    const isUp = head.getAttribute("aria-sort") !== "ascending";
    const body = head.closest("table").tBodies[0];
    const key = (row) => row.cells[head.cellIndex].dataset.sort ?? row.cells[head.cellIndex].textContent;
    const sorted = [...body.rows].sort((a, b) => order.compare(key(a), key(b)) * (isUp ? 1 : -1));
    for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", isUp ? "ascending" : "descending");
    body.append(...sorted);
  };

  for (const head of document.querySelectorAll("thead th")) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    button.addEventListener("click", () => sort(head));
    head.replaceChildren(button);
  }
  field.addEventListener("input", () => {
    history.replaceState(null, "", field.value ? `#filter=${encodeURIComponent(field.value)}` : location.pathname);
    filter();
  });
  addEventListener("hashchange", fromAddress);
  document.getElementById("controls").hidden = false;
  filter();
  fromAddress();
})();
