// The text of the script.
#include "report/category_script.h"

namespace effdet::cli {

std::string_view category_script() {
  return R"JS("use strict";
(() => {
  const table = document.getElementById("category-table");
  if (!table) return;
  const body = table.tBodies[0], rows = [...body.rows], heads = [...table.tHead.rows[0].cells];
  const region = table.parentElement;

  const make = (tag, text) => { const element = document.createElement(tag); element.textContent = text ?? ""; return element; };
  const value = (row, column) => {
    const text = row.cells[column].textContent;
    return column === 0 ? text : parseFloat(text.replaceAll(",", ""));
  };
  const compare = (a, b) => typeof a === "string" ? a.localeCompare(b) : a - b;

  // Numbers that are not defined come last in either direction.
  const sort = (column, direction) => {
    const keys = new Map(rows.map(row => [row, value(row, column)]));
    const missing = row => Number.isNaN(keys.get(row));
    const sorted = rows.toSorted((a, b) => missing(a) - missing(b) || direction * compare(keys.get(a), keys.get(b)) || 0);
    body.append(...sorted);
    heads.forEach((head, i) => i === column ? head.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending")
                                            : head.removeAttribute("aria-sort"));
  };
  heads.forEach((head, column) => {
    if (head.className === "unsorted") return;
    const button = make("button", head.textContent);
    button.type = "button";
    button.onclick = () => {
      const first = column === 0 ? "ascending" : "descending", now = head.getAttribute("aria-sort");
      sort(column, (now === null ? first : now === "ascending" ? "descending" : "ascending") === "ascending" ? 1 : -1);
    };
    head.replaceChildren(button);
  });

  const controls = make("div"), search = make("input"), label = make("label", "Search categories "), count = make("output");
  controls.className = "controls";
  search.type = "search";
  label.append(search);
  search.oninput = () => {
    const wanted = search.value.toLowerCase();
    for (const row of rows) row.hidden = !row.cells[0].textContent.toLowerCase().includes(wanted);
    count.textContent = `${rows.filter(row => !row.hidden).length} of ${rows.length}`;
  };
  controls.append(label, count);
  region.before(controls);

  // The small curves of a row, enlarged in the plane of the figure.
  const figure = document.getElementById("category-figure");
  if (!figure) return;
  const lines = [...figure.querySelectorAll("polyline")], grid = figure.querySelectorAll("line.axis");
  const at = (line, name) => Number(line.getAttribute(name));
  const left = at(grid[0], "x1"), right = at(grid[0], "x2"), top = at(grid[1], "y2") < at(grid[1], "y1") ? at(grid[1], "y2") : at(grid[1], "y1");
  const bottom = at(grid[0], "y1");
  const show = row => {
    const small = row.querySelectorAll("td.spark polyline"), name = row.cells[0].textContent;
    lines.forEach((line, i) => line.setAttribute("points", [...(small[i]?.points ?? [])]
        .map(p => `${left + (right - left) * p.x / 100},${top + (bottom - top) * p.y / 100}`).join(" ")));
    figure.querySelector("figcaption").textContent = small.length ? name : `${name}: no objects`;
    figure.querySelector("svg").setAttribute("aria-label", `Precision and recall of ${name}`);
  };
  const choice = make("select"), choice_label = make("label", "Curve of ");
  rows.forEach((row, i) => { const option = make("option", row.cells[0].textContent); option.value = i; choice.append(option); });
  choice.onchange = () => show(rows[choice.value]);
  rows.forEach((row, i) => row.onclick = () => { choice.value = i; show(row); });
  const shown = rows.findIndex(row => row.cells[0].textContent === figure.querySelector("figcaption").textContent);
  choice.value = Math.max(shown, 0);
  choice_label.append(choice);
  controls.append(choice_label);
})();
)JS";
}

}  // namespace effdet::cli
