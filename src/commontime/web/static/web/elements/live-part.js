// <live-part> asks every few seconds what others' answers changed. The answer is mostly "not
// modified".
const EVERY = 4000;
const RARELY = 60_000; // while the reader is signed out, or the page is gone
const LOST = { 0: "out", 403: "gone", 404: "gone" };
// Name an element so that the next answer or page has it under the same name: by its id, or by its
// meeting, its time and its kind.
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
const scrollBack = (at, was) => scrollBy({ top: top(at) - was, behavior: "instant" });
const place = (at) => [key(at), at.closest("section")?.getAttribute("aria-labelledby"), top(at)];
// Focus the same element at the same place of the screen; without it, the heading above it.
function focusAgain(root, [name, heading, was]) {
  const focusable = [...root.querySelectorAll("summary, button, a, td[aria-label]")];
  const same = focusable.find((element) => key(element) === name);
  const at = same ?? document.getElementById(heading) ?? document.getElementById("main");
  if (!same) at.tabIndex = -1;
  at.focus({ preventScroll: true });
  if (same) scrollBack(at, was);
}
// A reload would stop the page that the reader has just asked for.
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
    const [here, kept, ...was] = JSON.parse(sessionStorage.place ?? "[]");
    delete sessionStorage.place;
    if (here !== this.here) return;
    this.kept = kept;
    const closed =
      Boolean(kept) !== Boolean(this.grid) && document.getElementById("mine-h").textContent;
    addEventListener("load", () =>
      setTimeout(() => {
        focusAgain(document, was);
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

  // The rest of the page, with its forms, is older than the last confirmed time.
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

  // Say once that no news come any more, and why. They may come again.
  tell(lost) {
    if (lost === this.lost) return;
    this.lost = lost;
    const text = lost ? this.dataset[lost] : "";
    if (this.grid) return this.grid.lost(text, lost === "out");
    say(text);
    document.querySelector(".said").classList.toggle("heard", !text);
  }

  // Return the live part of an answer; null if it is none of ours, or somebody else's, who has
  // signed in meanwhile.
  read(text) {
    const fresh = new DOMParser().parseFromString(text, "text/html").getElementById("live");
    return fresh?.dataset.who === this.part.dataset.who ? fresh : null;
  }

  show(fresh, news) {
    const find = (selector) => this.querySelector(selector);
    const { activeElement } = document;
    const heat = find("heat-map");
    const isOnHeat = heat?.contains(activeElement);
    const scrolled = heat?.firstElementChild.scrollLeft;
    const best = find(".best-times")?.textContent;
    const open = [...this.querySelectorAll("details[open]")].map(key);
    const focus = this.contains(activeElement) && !isOnHeat && place(activeElement);
    const below = heat && top(heat);
    this.part.replaceWith(document.adoptNode(fresh));
    for (const details of this.querySelectorAll("details"))
      if (open.includes(key(details))) details.open = true;
    const now = find("heat-map");
    if (focus) focusAgain(this, focus);
    else if (heat && below < innerHeight / 2) scrollBack(now, below); // the list above grew
    if (heat) now.firstElementChild.scrollLeft = scrolled;
    if (heat?.at != null) now.go(heat.at, isOnHeat);
    if (news && find(".best-times")?.textContent !== best) say(this.dataset.news);
    if (this.stale) setTimeout(() => this.ask());
    this.dispatchEvent(
      new CustomEvent("live", { detail: JSON.parse(fresh.dataset.mine), bubbles: true }),
    );
  }
}
customElements.define("live-part", LivePart);
