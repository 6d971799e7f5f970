// Arithmetic of times. A window is [start, end, preference], in seconds; windows need not fit the
// cells of the grid. A run is a window that was painted; its preference is null where times were
// erased.
const LONGEST = 31 * 86400; // of one stored window

// Sort windows, and join those that touch and are liked the same.
export function merged(windows) {
  const joined = [];
  for (const [start, end, preference] of windows.sort((a, b) => a[0] - b[0])) {
    const last = joined.at(-1);
    if (last && last[1] === start && last[2] === preference && end - last[0] <= LONGEST)
      last[1] = end;
    else joined.push([start, end, preference]);
  }
  return joined;
}

const notEmpty = (windows) => windows.filter(([start, end]) => start < end);

// Return the windows as they are once the runs are painted over them.
export function painted(windows, runs) {
  let rest = windows;
  for (const [first, last] of runs) {
    rest = rest.flatMap(([start, end, preference]) =>
      notEmpty([
        [start, Math.min(end, first), preference],
        [Math.max(start, last), end, preference],
      ]),
    );
  }
  return merged([...rest, ...runs]);
}

// Return the runs that bring back what is in the windows now, once these runs were painted.
export function undoing(windows, runs) {
  const before = ([first, last]) =>
    notEmpty(
      windows.map(([start, end, preference]) => [
        Math.max(start, first),
        Math.min(end, last),
        preference,
      ]),
    );
  return painted(
    runs.map(([first, last]) => [first, last, null]),
    runs.flatMap(before),
  );
}
