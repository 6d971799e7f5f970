// <heat-map> shows who can come in the cell pointed at or focused, who only if need be, who can't,
// and who has not answered.
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
    const bound = (value, largest) => Math.max(0, Math.min(largest, value));
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
    this.answers ??= fetch(this.url, { redirect: "manual" })
      .then((answer) => answer.json())
      .catch(() => {
        this.answers = null;
      });
    const answers = await this.answers;
    if (answers && this.at === place) this.tell(answers, place);
  }

  tell({ people, cells }, place) {
    const [start, end, code] = cells[place];
    const title = document.createElement("strong");
    title.textContent = this.clock.span(start, end, this.texts.to);
    const list = document.createElement("dl");
    this.groups(people, code).forEach(([name, members], at) => {
      if (!members && at) return;
      const [term, names] = [document.createElement("dt"), document.createElement("dd")];
      term.textContent = name;
      term.className = `k${at}`;
      names.textContent = members || this.texts.nobody;
      list.append(term, names);
    });
    this.panel.replaceChildren(title, list);
  }
  // Return [title, members] of each group: their names, or their number where names are hidden.
  // `code`: a letter for each person, how they like the cell; or the four counts.
  groups(people, code) {
    const { can, maybe, cannot, silent } = this.texts;
    if (!people) return [can, maybe, cannot, silent].map((title, at) => [title, code[at] || ""]);
    const who = (levels) => people.filter((_, at) => levels.includes(code[at])).join(", ");
    return [
      [can, who("23")],
      [maybe, who("1")],
      [cannot, who("0")],
      [silent, who("-")],
    ];
  }
}
customElements.define("heat-map", HeatMap);
