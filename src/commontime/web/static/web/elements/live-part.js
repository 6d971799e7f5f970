// <live-part> asks every few seconds what others' answers changed; mostly it is told "not modified".
const EVERY = 4000;
// What a thing is in the next answer too: of which meeting and start, and of what kind.
const key = (at) => [at.closest("article")?.firstChild.textContent, at.closest("li")?.querySelector("time")?.dateTime,
  at.localName, at.ariaLabel ?? at.className].join();

class LivePart extends HTMLElement {
  connectedCallback() {
    this.fixed = this.part.dataset.fixed;
    this.timer = setInterval(() => this.ask(), EVERY);
    document.addEventListener("visibilitychange", this);
  }
  disconnectedCallback() {
    clearInterval(this.timer);
    document.removeEventListener("visibilitychange", this);
  }
  handleEvent() { this.ask(); }
  get part() { return this.firstElementChild; }

  // What else stands on the page is of what was fixed before, and its forms are too.
  get stale() { return this.fixed !== this.part.dataset.fixed; }
  get busy() { return document.querySelector("availability-grid")?.pending || document.activeElement.matches("input, select, textarea"); }

  async ask() {
    if (document.hidden || this.asking) return;
    if (this.stale && !this.busy) return location.reload();
    this.asking = true;
    const { tag } = this.part.dataset;
    try {
      const answer = await fetch(this.dataset.url, { headers: { "If-None-Match": tag }, redirect: "manual" });
      if ([0, 403, 404].includes(answer.status)) this.disconnectedCallback(); // signed out, or gone
      const text = answer.status === 200 && await answer.text();
      if (text && this.part.dataset.tag === tag) this.show(text, true);
    } catch { /* The next round asks again. */ }
    this.asking = false;
  }

  show(text, news) {
    const fresh = new DOMParser().parseFromString(text, "text/html").getElementById("live");
    const find = (what) => this.querySelector(what);
    const { activeElement } = document;
    const heat = find("heat-map");
    const [left, held] = [heat?.firstChild.scrollLeft, heat?.contains(activeElement)];
    const best = find(".best-times")?.textContent;
    const open = [...this.querySelectorAll("details[open]")].map(key);
    const focus = this.contains(activeElement) && key(activeElement);
    this.part.replaceWith(document.adoptNode(fresh));
    for (const each of this.querySelectorAll("details, summary, button, a")) {
      if (open.includes(key(each))) each.open = true;
      if (key(each) === focus) each.focus({ preventScroll: true });
    }
    if (heat) {
      const now = find("heat-map");
      now.firstChild.scrollLeft = left;
      if (heat.at != null) now.go(heat.at, held);
    }
    const said = document.querySelector(".said");
    if (news && said && find(".best-times")?.textContent !== best) said.textContent = this.dataset.news;
    if (this.stale) setTimeout(() => this.ask());
    this.dispatchEvent(new CustomEvent("live", { detail: JSON.parse(fresh.dataset.mine), bubbles: true }));
  }
}
customElements.define("live-part", LivePart);
