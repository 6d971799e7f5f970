// <availability-grid> turns a table of ticks into cells to paint, and saves them by itself.
// Times are windows and runs, see runs.js. Painting changes only the times that are painted over.
// data-levels: the level of each preference, from "can't come" on, as the server counts them;
// data-preferences: what each level is stored as; data-longest: seconds of one stored window;
// data-step: minutes of a cell.
import { Clock, MOVES } from "./clock.js";
import { Runs } from "./runs.js";

const UNDOS = 30;
const WAIT = 300;
const PATIENCE = 10_000;
const PAUSES = [5000, 15_000, 30_000]; // before each further try
const KEPT_ALIVE = 60_000; // letters that can still be sent when the page is gone
const OUTSIDE = ["pointerup", "pointercancel", "beforeunload", "pagehide", "online", "focus"];
const NARROW = matchMedia("(max-width: 44rem)");
const COARSE = matchMedia("(pointer: coarse)");

class AvailabilityGrid extends HTMLElement {
  connectedCallback() {
    const page = this.closest("[data-texts]");
    this.texts = JSON.parse(page.dataset.texts);
    this.clock = new Clock(page.dataset);
    this.levels = JSON.parse(this.dataset.levels);
    this.preferences = JSON.parse(this.dataset.preferences);
    this.runs = new Runs(Number(this.dataset.longest));
    this.live = page.querySelector("live-part");
    this.form = this.querySelector("form");
    this.table = this.querySelector("table");
    this.stored = this.windows = this.runs.merged(JSON.parse(this.live.part.dataset.mine));
    [this.sent, this.unsent] = [[], []];
    this.chosen = new Set();
    this.tries = 0;
    Object.assign(this, { history: [], brush: "2", first: 0, single: false, ...this.live.kept });
    this.prepare(Number(this.dataset.step) * 60);
    // On a phone, which shows a few days, the first is the first that is not over.
    const ahead = this.cells
      .filter((cell) => cell.end * 1000 > Date.now())
      .map((cell) => cell.at[1]);
    if (!this.live.kept && ahead.length) this.first = Math.min(...ahead);
    for (const kind of ["pointerdown", "pointerover", "click", "keydown", "focusin"])
      this.table.addEventListener(kind, this);
    for (const kind of OUTSIDE) window.addEventListener(kind, this);
    page.addEventListener("live", this);
    NARROW.addEventListener("change", this);
    this.classList.add("ready");
    this.lay();
  }
  // What a reload keeps.
  get kept() {
    return { history: this.history, brush: this.brush, first: this.first, single: this.single };
  }
  get busy() {
    return Boolean(this.pending || this.dragging || this.anchor || this.chosen.size);
  }
  disconnectedCallback() {
    for (const kind of OUTSIDE) window.removeEventListener(kind, this);
  }

  prepare(step) {
    this.readCells(step);
    this.prepareButtons();
    for (const name of ["undo", "hint", "how"]) this.part(name).hidden = false;
    this.querySelector(".no-script")?.remove();
    this.take(this.brush);
    this.paint();
    this.tell("");
  }
  readCells(step) {
    this.rows = [...this.table.tBodies[0].rows].map((row, r) =>
      [...row.cells].slice(1).map((cell, c) => {
        const tick = cell.firstElementChild;
        if (!tick) return null;
        const start = Number(tick.value);
        cell.textContent = "";
        cell.tabIndex = -1;
        return Object.assign(cell, { at: [r, c], start, end: start + step, look: cell.className });
      }),
    );
    this.cells = this.rows.flat().filter(Boolean);
    this.heads = [...this.table.tHead.rows[0].cells].slice(1);
    this.table.setAttribute("role", "grid");
    this.table.setAttribute("aria-describedby", "how");
    this.table.setAttribute("aria-multiselectable", "true");
    if (this.cells[0]) this.cells[0].tabIndex = 0;
  }
  prepareButtons() {
    for (const button of this.querySelectorAll(".brush")) {
      button.type = "button";
      button.addEventListener("click", () => this.take(button.value));
    }
    this.part("undo").addEventListener("click", () => this.undo());
    this.part("retry").addEventListener("click", () => {
      this.tries = 0;
      this.state(this.texts.saving, "bad");
      this.save();
    });
    for (const [name, by] of [
      ["earlier", -1],
      ["later", 1],
    ])
      this.part(name).addEventListener("click", () => this.lay(this.first + by * this.shown));
    this.part("one").addEventListener("click", () => {
      this.single = !this.single;
      this.lay();
    });
  }
  part(name) {
    return this.querySelector(`.${name}`);
  }

  handleEvent(event) {
    const cell = event.target instanceof Element ? event.target.closest("td") : null;
    if (cell?.at) this.handleCell(event, cell);
    else if (event.type === "pointerdown") this.touch = event.pointerType === "touch";
    switch (event.type) {
      case "pointercancel":
      case "pointerup":
        this.drop(event.type === "pointerup");
        break;
      case "live":
        this.refresh(event.detail);
        break;
      case "change":
        this.lay();
        break;
      case "online":
      case "focus":
        this.save(); // somebody who comes back may have signed in
        break;
      case "beforeunload":
        if (this.pending && (this.failed || !navigator.onLine)) event.preventDefault();
        else this.save(true);
        break;
      case "pagehide": // the browser drops the save under way
        if (this.pending) this.put(this.runs.painted(this.sent, this.unsent), true);
        break;
    }
  }
  handleCell(event, cell) {
    switch (event.type) {
      case "pointerdown":
        this.touch = event.pointerType === "touch";
        if (!this.touch && event.button === 0) this.begin(event, cell);
        break;
      case "pointerover":
        if (this.dragging) this.choose(this.dragging, cell);
        break;
      case "click":
        if (this.touch) this.tap(cell);
        break;
      case "keydown":
        this.press(event, cell);
        break;
      case "focusin":
        this.hold(cell);
        break;
    }
  }
  // End dragging, and paint the cells or not.
  drop(paints) {
    if (!this.dragging) return;
    this.dragging = null;
    if (paints) this.fill();
    else this.mark();
  }

  // Choosing cells

  take(value) {
    this.brush = value;
    for (const button of this.querySelectorAll(".brush"))
      button.setAttribute("aria-pressed", String(button.value === value));
  }
  begin(event, cell) {
    event.preventDefault();
    if (event.target.hasPointerCapture(event.pointerId))
      event.target.releasePointerCapture(event.pointerId); // a pen's
    this.hold(cell, true);
    this.dragging = cell;
    this.choose(cell, cell);
  }
  // Painting cells that all look like that already clears them.
  get stroke() {
    return [...this.chosen].every((cell) => cell.look === `l${this.brush}`) ? "0" : this.brush;
  }
  tap(cell) {
    if (this.anchor) {
      this.choose(this.anchor, cell);
      this.anchor = null;
      this.fill();
    } else {
      this.anchor = cell;
      this.choose(cell, cell);
      this.tell(
        `${this.clock.day(cell.start)}, ${this.clock.time(cell.start)}. ${this.texts.end}`,
        true,
      );
    }
  }
  choose(one, other) {
    const [top, bottom] = [one.at[0], other.at[0]].sort((a, b) => a - b);
    const [left, right] = [one.at[1], other.at[1]].sort((a, b) => a - b);
    const now = new Set();
    for (let row = top; row <= bottom; row++) {
      for (let column = left; column <= right; column++)
        if (this.rows[row][column]) now.add(this.rows[row][column]);
    }
    this.mark(now);
  }
  mark(now = new Set()) {
    for (const cell of this.chosen)
      if (!now.has(cell)) {
        cell.classList.remove("chosen");
        cell.removeAttribute("aria-selected");
      }
    for (const cell of now)
      if (!this.chosen.has(cell)) {
        cell.classList.add("chosen");
        cell.setAttribute("aria-selected", "true");
      }
    this.chosen = now;
  }
  get held() {
    return this.table.querySelector('td[tabindex="0"]');
  }
  hold(cell, focus) {
    for (const other of this.table.querySelectorAll('td[tabindex="0"]')) other.tabIndex = -1;
    cell.tabIndex = 0;
    if (focus) cell.focus({ preventScroll: true });
  }

  press(event, cell) {
    const step = MOVES[event.key];
    const control = event.ctrlKey || event.metaKey;
    if (step) this.move(event, cell, step);
    else if (control && event.key === "z") this.undo();
    else if (control || event.altKey) return;
    else if ("1" <= event.key && event.key <= "3") this.fill(event.key, cell);
    else if (["Delete", "Backspace", "0"].includes(event.key)) this.fill("0", cell);
    else if ([" ", "Enter"].includes(event.key)) this.fill(undefined, cell);
    else if (event.key === "Escape") {
      this.anchor = this.from = null;
      this.mark();
    } else return;
    event.preventDefault();
  }
  move(event, cell, [rows, columns]) {
    let [row, column] = cell.at;
    let target = cell;
    for (;;) {
      row += Math.sign(rows);
      column += columns;
      if (!(row in this.rows) || !(column in this.rows[row])) break;
      target = this.rows[row][column] ?? target;
      if (target.at[0] === row && target.at[1] === column && Math.abs(rows) < 2) break;
    }
    if (event.shiftKey) this.from ??= cell;
    else this.from = null;
    if (target.at[1] < this.first || target.at[1] >= this.first + this.shown)
      this.lay(target.at[1]);
    this.hold(target, true);
    target.scrollIntoView({ block: "nearest" });
    if (this.from) {
      this.choose(this.from, target);
      this.tell(`${this.chosen.size} ${this.texts.cells}`);
    } else this.mark();
  }

  // Painting

  fill(value, cell) {
    if (!this.chosen.size && cell) this.mark(new Set([cell]));
    value ??= this.stroke;
    const cells = [...this.chosen];
    this.from = null;
    this.mark();
    if (!cells.length) return;
    const columns = Map.groupBy(cells, (one) => one.at[1]);
    const preference = this.preferences[value] ?? null;
    const runs = [...columns.values()].map((column) => [
      Math.min(...column.map((one) => one.start)),
      Math.max(...column.map((one) => one.end)),
      preference,
    ]);
    this.history = [...this.history, this.runs.undoing(this.windows, runs)].slice(-UNDOS);
    this.change(runs);
    this.tell(this.painted(this.when(runs), this.name(value)));
  }
  // Say the days of runs at the same hours, and these hours.
  when(runs) {
    const { to } = this.texts;
    const [[start, end], [last]] = [runs[0], runs.at(-1)];
    const day = this.clock.day(start);
    const days = runs.length > 1 ? `${day} ${to} ${this.clock.day(last)}` : day;
    return `${days}, ${this.clock.hours(start, end, to)}`;
  }
  name(value) {
    return [this.texts.none, this.texts.need, this.texts.works, this.texts.ideal][value];
  }
  undo() {
    if (!this.history.length) return;
    this.change(this.history.pop());
    this.tell(this.texts.undone);
  }
  change(runs) {
    this.unsent = this.runs.painted(this.unsent, runs);
    this.show();
    this.state(this.texts.saving, "");
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), WAIT);
  }
  show() {
    const sent = this.runs.painted(this.stored, this.sent);
    this.windows = this.runs
      .painted(sent, this.unsent)
      .filter(([, , preference]) => preference !== null);
    this.paint();
  }
  paint() {
    let next = 0;
    for (const cell of [...this.cells].sort((a, b) => a.start - b.start)) {
      while (next < this.windows.length && this.windows[next][1] <= cell.start) next++;
      this.color(cell, ...this.levelOf(cell, next));
    }
    // Not `disabled`, which would lose the focus.
    this.part("undo").ariaDisabled = !this.history.length;
  }
  // Return the lowest level in the cell, and whether a part of it is better. The windows from
  // `next` on may reach into it.
  levelOf(cell, next) {
    let covered = 0;
    const levels = [];
    for (let at = next; this.windows[at]?.[0] < cell.end; at++) {
      const [start, end, preference] = this.windows[at];
      covered += Math.min(end, cell.end) - Math.max(start, cell.start);
      levels.push(this.levels[preference + 1]);
    }
    const whole = covered >= cell.end - cell.start;
    const least = whole ? Math.min(...levels) : 0;
    return [least, levels.length > 0 && (!whole || levels.some((level) => level !== least))];
  }
  color(cell, level, mixed) {
    const look = `l${level}${mixed ? " mixed" : ""}`;
    if (look === cell.look && cell.ariaLabel) return;
    cell.className = cell.look = look;
    cell.classList.toggle("chosen", this.chosen.has(cell));
    const name = mixed ? `${this.name(level)}, ${this.texts.part}` : this.name(level);
    cell.ariaLabel = this.painted(this.clock.span(cell.start, cell.end, this.texts.to), name);
  }
  // In each language with its own space before the colon.
  painted(time, level) {
    const words = { time, level };
    return this.texts.painted.replace(/%\((\w+)\)s/g, (_, name) => words[name]);
  }
  // Say something to those who listen. `tapped`: the first of two cells was tapped.
  tell(text, tapped) {
    this.part("said").textContent = text;
    const hint = COARSE.matches ? this.texts.begin : "";
    this.part("hint").textContent = tapped ? this.texts.end : hint;
  }

  // Saving

  get pending() {
    return this.sent.length + this.unsent.length > 0;
  }
  state(text, kind, out) {
    const [place, focused] = [this.part("state"), document.activeElement];
    if (place.textContent !== text) place.textContent = text;
    place.dataset.kind = kind;
    this.part("retry").hidden = kind !== "bad";
    this.part("again").hidden = !out;
    if (focused.hidden) this.held.focus({ preventScroll: true });
  }
  // Say that no news come any more; with an empty text, that they come again.
  lost(text, out) {
    if (!this.pending && (text || this.part("state").dataset.kind === "lost"))
      this.state(text, text && "lost", out);
  }
  refresh(mine) {
    this.stored = this.runs.merged(mine);
    this.show();
  }
  async save(leaving) {
    if (this.sent.length || !this.unsent.length) return;
    clearTimeout(this.timer);
    [this.sent, this.unsent] = [this.unsent, []];
    const refusal = await this.put(this.sent, leaving);
    this.failed = Boolean(refusal);
    if (refusal) {
      [this.sent, this.unsent] = [[], this.runs.painted(this.sent, this.unsent)];
      this.state(refusal.text, "bad", refusal.out);
      if (refusal.later)
        this.timer = setTimeout(() => this.save(), PAUSES[this.tries++] ?? PAUSES.at(-1));
      return;
    }
    this.tries = 0;
    if (this.unsent.length) this.save();
    else this.state(this.texts.saved, "good");
  }
  // Send runs. Return null if they are stored; else `text`: why not, `out`: whether signing in
  // helps, `later`: whether the same can be sent again.
  async put(runs, leaving, again) {
    try {
      const signal = AbortSignal.timeout(PATIENCE);
      const answer = await this.send(runs, leaving, signal);
      const fresh = answer.ok && this.live.read(await answer.text());
      if (fresh) {
        this.sent = [];
        this.live.show(fresh);
        return null;
      }
      if (answer.type === "opaqueredirect") return { text: this.texts.out, out: true, later: true };
      if (answer.status === 403 && !again) {
        await this.renewToken(signal);
        return this.put(runs, leaving, true);
      }
      return this.refusal(answer.status, await answer.json().catch(() => ({})));
    } catch (error) {
      const text = error.name === "TimeoutError" ? this.texts.slow : this.texts.lost;
      return { text, later: true };
    }
  }
  send(runs, leaving, signal) {
    const { csrfmiddlewaretoken: token, who } = this.form.elements;
    const body = JSON.stringify(runs);
    return fetch(this.form.action, {
      method: "PUT",
      headers: {
        "Content-Type": "application/json",
        "X-CSRFToken": token.value,
        "X-Who": who.value,
      },
      body,
      redirect: "manual",
      signal,
      // Only when leaving: its signal does not end a request that outlives the page.
      keepalive: Boolean(leaving) && body.length < KEPT_ALIVE,
    });
  }
  // Signing in again elsewhere made another token.
  async renewToken(signal) {
    const page = await fetch(location.href, { signal }).then((answer) => answer.text());
    const field = new DOMParser()
      .parseFromString(page, "text/html")
      .querySelector("[name=csrfmiddlewaretoken]");
    this.form.elements.csrfmiddlewaretoken.value = field?.value ?? "";
  }
  refusal(status, { code, detail }) {
    if (!detail) return { text: this.texts.failed, later: true };
    const out = code === "somebody_else";
    return { text: `${this.texts.refused} ${detail}`, out, later: out || status === 429 };
  }

  // On a phone: three days at a time, or one

  lay(first = this.first) {
    const days = this.heads.length;
    this.shown = NARROW.matches ? Math.min(days, this.single ? 1 : 3) : days;
    this.first = Math.max(0, Math.min(days - this.shown, first));
    const off = (column) => column < this.first || column >= this.first + this.shown;
    this.heads.forEach((head, column) => {
      head.hidden = off(column);
    });
    for (const row of this.table.tBodies[0].rows)
      [...row.cells].slice(1).forEach((td, column) => {
        td.hidden = off(column);
      });
    this.part("days").hidden = this.shown === days && !this.single;
    this.part("earlier").ariaDisabled = this.first === 0;
    this.part("later").ariaDisabled = this.first + this.shown >= days;
    this.part("one").setAttribute("aria-pressed", String(Boolean(this.single)));
    const { held } = this;
    const visible = this.cells.find((cell) => !off(cell.at[1]));
    if (visible && (!held || held.hidden)) this.hold(visible);
  }
}
customElements.define("availability-grid", AvailabilityGrid);
