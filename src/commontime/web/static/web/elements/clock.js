// Write "17:30" as the reader does, "17:30" or "5:30 pm", the same way as the server.
export function written(time, h12) {
  const [hour, minute] = time.split(":");
  return h12
    ? `${((+hour + 11) % 12) + 1}:${minute} ${hour < 12 ? "am" : "pm"}`
    : `${+hour}:${minute}`;
}

// Days and times in whole words, as the reader writes them, for those who listen.
export class Clock {
  constructor({ zone, lang, h12, twice = "[]" }) {
    // [from, to, which] of each stretch that clocks show twice because they are turned back.
    this.twice = JSON.parse(twice);
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
  // `told`: which of the two stretches the listener knows already.
  time(seconds, told) {
    const time = written(this.times.format(seconds * 1000), this.h12);
    const which = this.which(seconds);
    return which && which !== told ? `${time} (${which})` : time;
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
