// <availability-grid> makes a table of ticks something to paint on, and saves what was painted by itself.
// Times are [start, end, preference], in seconds; they need not fit the cells, and painting changes only what is painted over.
// A run is that too, of what is painted; its preference may be null: no time.
import { Clock, MOVES } from "./clock.js";

const PREFERENCE = { 1: 2, 2: 5, 3: 9 };
const LONGEST = 31 * 86400;
const UNDOS = 30;
const WAIT = 300;
const PATIENCE = 10_000;
const PAUSES = [5000, 15_000, 30_000]; // before each further try
const KEPT_ALIVE = 60_000; // letters that may still be sent when the page is gone
const OUTSIDE = ["pointerup", "pointercancel", "beforeunload", "pagehide", "online", "focus"];
const NARROW = matchMedia("(max-width: 44rem)");
const COARSE = matchMedia("(pointer: coarse)");
const level = (preference) => (preference < 4 ? 1 : preference < 8 ? 2 : 3);

function merged(windows) {
  const found = [];
  for (const [start, end, preference] of windows.sort((a, b) => a[0] - b[0])) {
    const last = found.at(-1);
    if (last && last[1] === start && last[2] === preference && end - last[0] <= LONGEST)
      last[1] = end;
    else found.push([start, end, preference]);
  }
  return found;
}

const some = (runs) => runs.filter(([start, end]) => start < end);

function over(windows, runs) {
  let kept = windows;
  for (const [first, last] of runs) {
    kept = kept.flatMap(([start, end, each]) =>
      some([
        [start, Math.min(end, first), each],
        [Math.max(start, last), end, each],
      ]),
    );
  }
  return merged([...kept, ...runs]);
}

// The runs that would paint all this as it is in the windows.
function within(windows, runs) {
  const cut = ([first, last]) =>
    some(windows.map(([start, end, each]) => [Math.max(start, first), Math.min(end, last), each]));
  return over(
    runs.map(([first, last]) => [first, last, null]),
    runs.flatMap(cut),
  );
}

class AvailabilityGrid extends HTMLElement {
  connectedCallback() {
    const page = this.closest("[data-texts]");
    this.texts = JSON.parse(page.dataset.texts);
    this.clock = new Clock(page.dataset);
    this.live = page.querySelector("live-part");
    this.form = this.querySelector("form");
    this.table = this.querySelector("table");
    this.stored = this.windows = merged(JSON.parse(this.live.part.dataset.mine));
    [this.sent, this.unsent] = [[], []];
    this.chosen = new Set();
    this.tries = 0;
    Object.assign(this, { history: [], brush: "2", first: 0, single: false, ...this.live.kept });
    this.prepare(Number(this.dataset.step) * 60);
    // On a phone, which shows a few days, those come first that are not over.
    const ahead = this.cells
      .filter((each) => each.end * 1000 > Date.now())
      .map((each) => each.at[1]);
    if (!this.live.kept && ahead.length) this.first = Math.min(...ahead);
    for (const kind of ["pointerdown", "pointerover", "click", "keydown", "focusin"])
      this.table.addEventListener(kind, this);
    for (const kind of OUTSIDE) window.addEventListener(kind, this);
    page.addEventListener("live", this);
    NARROW.addEventListener("change", this);
    this.classList.add("ready");
    this.lay();
  }
  // What stays over a reload.
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
    this.rows = [...this.table.tBodies[0].rows].map((row, r) =>
      [...row.cells].slice(1).map((td, c) => {
        const tick = td.firstElementChild;
        if (!tick) return null;
        const start = Number(tick.value);
        td.textContent = "";
        td.tabIndex = -1;
        return Object.assign(td, { at: [r, c], start, end: start + step, seen: td.className });
      }),
    );
    this.cells = this.rows.flat().filter(Boolean);
    this.heads = [...this.table.tHead.rows[0].cells].slice(1);
    this.table.setAttribute("role", "grid");
    this.table.setAttribute("aria-describedby", "how");
    this.table.setAttribute("aria-multiselectable", "true");
    if (this.cells[0]) this.cells[0].tabIndex = 0;
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
    for (const name of ["undo", "hint", "how"]) this.part(name).hidden = false;
    this.querySelector(".no-script")?.remove();
    this.take(this.brush);
    this.paint();
    this.tell("");
  }
  part(name) {
    return this.querySelector(`.${name}`);
  }

  handleEvent(event) {
    const cell = event.target instanceof Element ? event.target.closest("td") : null;
    const own = cell?.at ? cell : null;
    switch (event.type) {
      case "pointerdown":
        this.touch = event.pointerType === "touch";
        if (own && !this.touch && event.button === 0) this.begin(event, own);
        break;
      case "pointercancel":
        if (this.dragging) {
          this.dragging = null;
          this.mark();
        }
        break;
      case "pointerover":
        if (own && this.dragging) this.choose(this.dragging, own);
        break;
      case "pointerup":
        if (this.dragging) {
          this.dragging = null;
          this.fill();
        }
        break;
      case "click":
        if (own && this.touch) this.tap(own);
        break;
      case "keydown":
        if (own) this.press(event, own);
        break;
      case "focusin":
        if (own) this.hold(own);
        break;
      case "live":
        this.refresh(event.detail);
        break;
      case "change":
        this.lay();
        break;
      case "online":
      case "focus":
        this.save();
        break; // whoever comes back may have signed in
      case "beforeunload":
        if (this.pending && (this.failed || !navigator.onLine)) event.preventDefault();
        else this.save(true);
        break;
      case "pagehide":
        if (this.pending) this.put(over(this.sent, this.unsent), true);
        break; // the browser drops the save under way
    }
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
  // Painting what is all painted like that already takes it away.
  get stroke() {
    return [...this.chosen].every((cell) => cell.seen === `l${this.brush}`) ? "0" : this.brush;
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
    const columns = Map.groupBy(cells, (each) => each.at[1]);
    const preference = PREFERENCE[value] ?? null;
    const run = (each) => [
      Math.min(...each.map((c) => c.start)),
      Math.max(...each.map((c) => c.end)),
      preference,
    ];
    const runs = [...columns.values()].map(run);
    this.history = [...this.history, within(this.windows, runs)].slice(-UNDOS);
    this.change(runs);
    const [first, last] = [runs[0], runs.at(-1)];
    const days =
      runs.length > 1
        ? `${this.clock.day(first[0])} ${this.texts.to} ${this.clock.day(last[0])}`
        : this.clock.day(first[0]);
    this.tell(
      `${days}, ${this.clock.hours(first[0], first[1], this.texts.to)}: ${this.name(value)}`,
    );
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
    this.unsent = over(this.unsent, runs);
    this.show();
    this.state(this.texts.saving, "");
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), WAIT);
  }
  show() {
    this.windows = over(over(this.stored, this.sent), this.unsent).filter((run) => run[2] !== null);
    this.paint();
  }
  paint() {
    let next = 0;
    for (const cell of [...this.cells].sort((a, b) => a.start - b.start)) {
      while (next < this.windows.length && this.windows[next][1] <= cell.start) next++;
      let [covered, levels] = [0, []];
      for (let at = next; at < this.windows.length && this.windows[at][0] < cell.end; at++) {
        covered +=
          Math.min(this.windows[at][1], cell.end) - Math.max(this.windows[at][0], cell.start);
        levels.push(level(this.windows[at][2]));
      }
      const whole = covered >= cell.end - cell.start;
      const least = whole ? Math.min(...levels) : 0;
      const mixed = levels.length > 0 && (!whole || levels.some((each) => each !== least));
      const seen = `l${least}${mixed ? " mixed" : ""}`;
      if (seen !== cell.seen || !cell.ariaLabel) {
        cell.className = cell.seen = seen;
        cell.classList.toggle("chosen", this.chosen.has(cell));
        cell.ariaLabel = `${this.clock.span(cell.start, cell.end, this.texts.to)}: ${this.name(least)}${mixed ? `, ${this.texts.part}` : ""}`;
      }
    }
    this.part("undo").ariaDisabled = !this.history.length; // not disabled, which would lose the focus
  }
  tell(text, seen) {
    this.part("said").textContent = text;
    this.part("hint").textContent = seen ? this.texts.end : COARSE.matches ? this.texts.begin : "";
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
  // No news come any more, or again: then the text is empty.
  lost(text, out) {
    if (!this.pending && (text || this.part("state").dataset.kind === "lost"))
      this.state(text, text && "lost", out);
  }
  refresh(mine) {
    this.stored = merged(mine);
    this.show();
  }
  async save(leaving) {
    if (this.sent.length || !this.unsent.length) return;
    clearTimeout(this.timer);
    [this.sent, this.unsent] = [this.unsent, []];
    const refusal = await this.put(this.sent, leaving);
    this.failed = Boolean(refusal);
    if (refusal) {
      [this.sent, this.unsent] = [[], over(this.sent, this.unsent)];
      this.state(refusal.text, "bad", refusal.out);
      if (refusal.later)
        this.timer = setTimeout(() => this.save(), PAUSES[this.tries++] ?? PAUSES.at(-1));
      return;
    }
    this.tries = 0;
    if (this.unsent.length) this.save();
    else this.state(this.texts.saved, "good");
  }
  // Return why it was not saved: in words, whether signing in mends it, and whether it may be saved later as it is.
  async put(runs, leaving, again) {
    try {
      const signal = AbortSignal.timeout(PATIENCE);
      const { csrfmiddlewaretoken: token, who } = this.form.elements;
      const headers = {
        "Content-Type": "application/json",
        "X-CSRFToken": token.value,
        "X-Who": who.value,
      };
      const body = JSON.stringify(runs);
      const keepalive = Boolean(leaving) && body.length < KEPT_ALIVE; // not always: such a one is not given up by its signal
      const answer = await fetch(this.form.action, {
        method: "PUT",
        headers,
        body,
        redirect: "manual",
        signal,
        keepalive,
      });
      const fresh = answer.ok && this.live.read(await answer.text());
      if (fresh) {
        this.sent = [];
        this.live.show(fresh);
        return null;
      }
      if (answer.type === "opaqueredirect") return { text: this.texts.out, out: true, later: true };
      if (answer.status === 403 && !again) {
        // who has signed in elsewhere meanwhile has another token
        const page = await fetch(location.href, { signal }).then((here) => here.text());
        token.value =
          new DOMParser()
            .parseFromString(page, "text/html")
            .querySelector("[name=csrfmiddlewaretoken]")?.value ?? "";
        return this.put(runs, leaving, true);
      }
      const said = await answer.json().catch(() => ({}));
      const out = said.code === "somebody_else";
      if (said.detail)
        return {
          text: `${this.texts.refused} ${said.detail}`,
          out,
          later: out || answer.status === 429,
        };
      return { text: this.texts.failed, later: true };
    } catch (error) {
      return {
        text: error.name === "TimeoutError" ? this.texts.slow : this.texts.lost,
        later: true,
      };
    }
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
    const seen = this.rows.flat().find((cell) => cell && !off(cell.at[1]));
    if (seen && (!held || held.hidden)) this.hold(seen);
  }
}
customElements.define("availability-grid", AvailabilityGrid);
