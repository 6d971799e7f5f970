// Arithmetic of times. A window is [start, end, preference], in seconds; windows need not fit the
// cells of the grid. A run is a window that was painted; its preference is null where times were
// erased.
const notEmpty = (windows) => windows.filter(([start, end]) => start < end);

export class Runs {
  // longest: seconds of one stored window.
  constructor(longest) {
    this.longest = longest;
  }

  // Sort windows, and join those that touch and are liked the same.
  merged(windows) {
    const joined = [];
    for (const [start, end, preference] of windows.sort((a, b) => a[0] - b[0])) {
      const last = joined.at(-1);
      if (last && last[1] === start && last[2] === preference && end - last[0] <= this.longest)
        last[1] = end;
      else joined.push([start, end, preference]);
    }
    return joined;
  }

  // Return the windows as they are once the runs are painted over them.
  painted(windows, runs) {
    let rest = windows;
    for (const [first, last] of runs) {
      rest = rest.flatMap(([start, end, preference]) =>
        notEmpty([
          [start, Math.min(end, first), preference],
          [Math.max(start, last), end, preference],
        ]),
      );
    }
    return this.merged([...rest, ...runs]);
  }

  // Return the runs that bring back what is in the windows now, once these runs were painted.
  undoing(windows, runs) {
    const before = ([first, last]) =>
      notEmpty(
        windows.map(([start, end, preference]) => [
          Math.max(start, first),
          Math.min(end, last),
          preference,
        ]),
      );
    return this.painted(
      runs.map(([first, last]) => [first, last, null]),
      runs.flatMap(before),
    );
  }
}
