// <heat-map> names, for the cell pointed at or focused, who can, could if need be, can't and has not answered.
import { Clock, MOVES } from "./clock.js";

class HeatMap extends HTMLElement {
  connectedCallback() {
    const page = this.closest("[data-texts]");
    this.texts = JSON.parse(page.dataset.texts);
    this.clock = new Clock(page.dataset);
    this.url = page.dataset.who;
    this.rows = [...this.querySelectorAll("tbody tr")].map((row) => [...row.cells].slice(1));
    this.cells = this.rows.flat().filter((cell) => !cell.matches(".gap"));
    const table = this.querySelector("table");
    table.setAttribute("role", "grid");
    this.firstElementChild.removeAttribute("tabindex");
    this.cells.forEach((cell, place) => {
      cell.tabIndex = place ? -1 : 0;
    });
    this.panel = Object.assign(document.createElement("div"), { className: "who" });
    this.panel.setAttribute("role", "status");
    this.append(this.panel);
    for (const kind of ["pointerover", "focusin", "keydown", "click"])
      table.addEventListener(kind, this);
    document.querySelector(".who-at")?.remove();
  }

  handleEvent(event) {
    const cell = event.target.closest("td:not(.gap)");
    const place = this.cells.indexOf(cell);
    if (place < 0) return;
    if (event.type === "keydown") this.move(event, cell);
    else this.go(place, event.type === "click");
  }

  move(event, cell) {
    const step = MOVES[event.key];
    if (!step) return;
    event.preventDefault();
    let row = this.rows.findIndex((cells) => cells.includes(cell));
    let column = this.rows[row].indexOf(cell);
    const bound = (value, most) => Math.max(0, Math.min(most, value));
    do {
      const [r, c] = [row, column];
      row = bound(row + Math.sign(step[0]), this.rows.length - 1);
      column = bound(column + step[1], this.rows[0].length - 1);
      if (r === row && c === column) break;
    } while (Math.abs(step[0]) > 1 || this.rows[row][column].matches(".gap"));
    this.go(this.cells.indexOf(this.rows[row][column]), true);
  }

  async go(place, focus) {
    const cell = this.cells[place];
    if (!cell) return;
    this.cells[this.at ?? 0].tabIndex = -1;
    cell.tabIndex = 0;
    if (focus && document.activeElement !== cell) cell.focus();
    if (this.at === place && this.panel.hasChildNodes()) return;
    this.at = place;
    this.known ??= fetch(this.url, { redirect: "manual" })
      .then((answer) => answer.json())
      .catch(() => {
        this.known = null;
      });
    const known = await this.known;
    if (known && this.at === place) this.tell(known, place);
  }

  tell({ people, cells }, place) {
    const [start, end, code] = cells[place];
    const { can, maybe, cannot, silent, nobody, to } = this.texts;
    const who = (levels) => people.filter((_, at) => levels.includes(code[at])).join(", ");
    const groups = people
      ? [
          [can, who("23")],
          [maybe, who("1")],
          [cannot, who("0")],
          [silent, who("-")],
        ]
      : [can, maybe, cannot, silent].map((title, at) => [title, code[at] || ""]);
    const title = Object.assign(document.createElement("strong"), {
      textContent: this.clock.span(start, end, to),
    });
    const list = document.createElement("dl");
    groups.forEach(([name, value], at) => {
      if (!value && at) return;
      const [term, names] = [document.createElement("dt"), document.createElement("dd")];
      [term.textContent, names.textContent, term.className] = [name, value || nobody, `k${at}`];
      list.append(term, names);
    });
    this.panel.replaceChildren(title, list);
  }
}
customElements.define("heat-map", HeatMap);
