// Days and times as the page's person reads them, whole, for who listens.
export class Clock {
  constructor({ zone, lang, h12 }) {
    const options = { timeZone: zone };
    this.days = new Intl.DateTimeFormat(lang, { ...options, weekday: "long", day: "numeric", month: "long" });
    this.times = new Intl.DateTimeFormat(lang, { ...options, hour: "numeric", minute: "2-digit", hourCycle: h12 ? "h12" : "h23" });
  }
  day(seconds) { return this.days.format(seconds * 1000); }
  time(seconds) { return this.times.format(seconds * 1000); }
  span(start, end, to) { return `${this.day(start)}, ${this.time(start)} ${to} ${this.time(end)}`; }
}

// Arrow keys, Home and End in a table of cells, as [rows, columns] to move by.
export const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], Home: [-999, 0], End: [999, 0] };
