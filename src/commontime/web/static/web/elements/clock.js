// "17:30" as the page's person writes it, and as the server does in every language: "17:30" or "5:30 pm".
export function written(time, h12) {
  const [hour, minute] = time.split(":");
  return h12
    ? `${((+hour + 11) % 12) + 1}:${minute} ${hour < 12 ? "am" : "pm"}`
    : `${+hour}:${minute}`;
}

// Days and times as the page's person reads them, whole, for who listens.
export class Clock {
  constructor({ zone, lang, h12, twice = "[]" }) {
    this.twice = JSON.parse(twice); // [from, to, which] of stretches that clocks which are turned back show twice
    const options = { timeZone: zone };
    this.days = new Intl.DateTimeFormat(lang, {
      ...options,
      weekday: "long",
      day: "numeric",
      month: "long",
    });
    this.times = new Intl.DateTimeFormat("en", {
      ...options,
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
    });
    this.h12 = h12;
  }
  day(seconds) {
    return this.days.format(seconds * 1000);
  }
  which(seconds) {
    return this.twice.find(([from, to]) => from <= seconds && seconds < to)?.[2];
  }
  time(seconds, said) {
    const [time, which] = [
      written(this.times.format(seconds * 1000), this.h12),
      this.which(seconds),
    ];
    return which && which !== said ? `${time} (${which})` : time;
  }
  hours(start, end, to) {
    return `${this.time(start, this.which(end))} ${to} ${this.time(end)}`;
  }
  span(start, end, to) {
    return `${this.day(start)}, ${this.hours(start, end, to)}`;
  }
}

// Arrow keys, Home and End in a table of cells, as [rows, columns] to move by.
export const MOVES = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
  Home: [-999, 0],
  End: [999, 0],
};
