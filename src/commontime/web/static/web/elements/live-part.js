// <live-part> asks every few seconds what others' answers changed; mostly it is told "not modified".
const EVERY = 4000;
const RARELY = 60_000; // while one is signed out, or it is gone
const LOST = { 0: "out", 403: "gone", 404: "gone" };
// What a thing is in the next answer or page too: by its id, or of which meeting and start, and of what kind.
const key = (at) =>
  at.id ||
  [
    at.closest("article")?.firstElementChild.textContent,
    at.closest("li")?.querySelector("time")?.dateTime,
    at.localName,
    at.ariaLabel ?? at.className,
    at.getAttribute("href"),
    at.closest("details")?.className,
  ].join();
const top = (at) => at.getBoundingClientRect().top;
const keep = (at, was) => scrollBy({ top: top(at) - was, behavior: "instant" });
const place = (at) => [key(at), at.closest("section")?.getAttribute("aria-labelledby"), top(at)];
// Focus what was there, where it was on the screen; else the heading it stood under.
function take(within, [what, head, was]) {
  const same = [...within.querySelectorAll("summary, button, a, td[aria-label]")].find(
    (each) => key(each) === what,
  );
  const at = same ?? document.getElementById(head) ?? document.getElementById("main");
  if (!same) at.tabIndex = -1;
  at.focus({ preventScroll: true });
  if (same) keep(at, was);
}
// A reload would call off the page that its reader has just asked for.
let left = 0;
addEventListener("beforeunload", () => {
  left = Date.now();
});
const leaving = () => Date.now() - left < 30_000;
const say = (news) => {
  document.querySelector(".said").textContent = news;
};

document.addEventListener("keydown", (event) => {
  const open = event.key === "Escape" && event.target.closest("details[open]");
  if (open) {
    open.open = false;
    open.firstElementChild.focus();
  }
});

class LivePart extends HTMLElement {
  connectedCallback() {
    this.fixed = this.part.dataset.fixed;
    this.timer = setInterval(() => {
      if (!this.lost || Date.now() - this.asked > RARELY) this.ask();
    }, EVERY);
    document.addEventListener("visibilitychange", this);
    addEventListener("focus", this);
    const [of, kept, ...was] = JSON.parse(sessionStorage.place ?? "[]");
    delete sessionStorage.place;
    if (of !== this.here) return;
    this.kept = kept;
    const closed =
      Boolean(kept) !== Boolean(this.grid) && document.getElementById("mine-h").textContent;
    addEventListener("load", () =>
      setTimeout(() => {
        take(document, was);
        say(closed || (this.dataset.fixedNews ?? this.dataset.news));
      }),
    );
  }
  disconnectedCallback() {
    clearInterval(this.timer);
    document.removeEventListener("visibilitychange", this);
    removeEventListener("focus", this);
  }
  handleEvent() {
    this.ask();
  }
  get part() {
    return this.firstElementChild;
  }
  get here() {
    return `${location.href} ${this.part.dataset.who}`;
  }
  get grid() {
    return document.querySelector("availability-grid");
  }

  // What else stands on the page is of what was fixed before, and its forms are too.
  get stale() {
    return this.fixed !== this.part.dataset.fixed;
  }
  get busy() {
    return this.grid?.busy || document.activeElement.matches("input, select, textarea");
  }

  async ask() {
    if (document.hidden || this.asking || leaving()) return;
    if (this.stale && !this.busy) {
      sessionStorage.place = JSON.stringify([
        this.here,
        this.grid?.kept ?? null,
        ...place(document.activeElement),
      ]);
      return location.reload();
    }
    this.asking = true;
    this.asked = Date.now();
    const { tag } = this.part.dataset;
    try {
      const answer = await fetch(this.dataset.url, {
        headers: { "If-None-Match": tag },
        redirect: "manual",
      });
      const fresh = answer.status === 200 && this.read(await answer.text());
      if (fresh || answer.status === 304 || answer.status in LOST) this.tell(LOST[answer.status]);
      if (fresh && this.part.dataset.tag === tag) this.show(fresh, true);
    } catch {
      // The next round asks again.
    }
    this.asking = false;
  }

  // Say once that no news come any more, and why; they may come again.
  tell(lost) {
    if (lost === this.lost) return;
    this.lost = lost;
    const text = lost ? this.dataset[lost] : "";
    if (this.grid) return this.grid.lost(text, lost === "out");
    say(text);
    document.querySelector(".said").classList.toggle("heard", !text);
  }

  // Return the part in an answer; null if that is not ours, or for somebody else who has signed in.
  read(text) {
    const fresh = new DOMParser().parseFromString(text, "text/html").getElementById("live");
    return fresh?.dataset.who === this.part.dataset.who ? fresh : null;
  }

  show(fresh, news) {
    const find = (what) => this.querySelector(what);
    const { activeElement } = document;
    const heat = find("heat-map");
    const [scrolled, held] = [heat?.firstElementChild.scrollLeft, heat?.contains(activeElement)];
    const best = find(".best-times")?.textContent;
    const open = [...this.querySelectorAll("details[open]")].map(key);
    const focus = this.contains(activeElement) && !held && place(activeElement);
    const below = heat && top(heat);
    this.part.replaceWith(document.adoptNode(fresh));
    for (const each of this.querySelectorAll("details"))
      if (open.includes(key(each))) each.open = true;
    const now = find("heat-map");
    if (focus) take(this, focus);
    else if (heat && below < innerHeight / 2) keep(now, below); // the list above it may have grown
    if (heat) now.firstElementChild.scrollLeft = scrolled;
    if (heat?.at != null) now.go(heat.at, held);
    if (news && find(".best-times")?.textContent !== best) say(this.dataset.news);
    if (this.stale) setTimeout(() => this.ask());
    this.dispatchEvent(
      new CustomEvent("live", { detail: JSON.parse(fresh.dataset.mine), bubbles: true }),
    );
  }
}
customElements.define("live-part", LivePart);
