// <live-part> asks every few seconds whether others' answers changed anything; "not modified" is all that mostly comes back.
const EVERY = 4000;
const whose = (reasons) => `${reasons.closest("article")?.querySelector("h3").textContent} ${reasons.closest("li")?.querySelector("time").dateTime}`;

class LivePart extends HTMLElement {
  connectedCallback() {
    this.timer = setInterval(() => this.ask(), EVERY);
    document.addEventListener("visibilitychange", this);
  }
  disconnectedCallback() {
    clearInterval(this.timer);
    document.removeEventListener("visibilitychange", this);
  }
  handleEvent() { if (!document.hidden) this.ask(); }
  get part() { return this.firstElementChild; }

  async ask() {
    if (document.hidden || this.asking) return;
    this.asking = true;
    const tag = this.part.dataset.tag;
    try {
      const answer = await fetch(this.dataset.url, { headers: { "If-None-Match": tag }, redirect: "manual" });
      const text = answer.status === 200 ? await answer.text() : "";
      if (text && this.part.dataset.tag === tag) this.show(text, true);
    } catch { /* The next round asks again. */ } finally { this.asking = false; }
  }

  show(text, news) {
    const fresh = new DOMParser().parseFromString(text, "text/html").getElementById("live");
    if (!fresh) return;
    const heat = this.querySelector("heat-map");
    const [at, left] = [heat?.at, heat?.firstElementChild.scrollLeft];
    const held = heat?.contains(document.activeElement);
    const best = this.querySelector(".best-times").textContent;
    const unfolded = [...this.querySelectorAll(".why[open]")].map(whose);
    const reading = this.contains(document.activeElement) && document.activeElement.matches(".why > summary") && whose(document.activeElement);
    this.part.replaceWith(document.adoptNode(fresh));
    for (const reasons of this.querySelectorAll("details.why")) {
      reasons.open = unfolded.includes(whose(reasons));
      if (whose(reasons) === reading) reasons.firstElementChild.focus({ preventScroll: true });
    }
    const now = this.querySelector("heat-map");
    if (now) now.firstElementChild.scrollLeft = left ?? 0;
    if (at != null) now?.go(at, held);
    const said = document.querySelector(".said");
    if (news && said && fresh.querySelector(".best-times").textContent !== best) said.textContent = this.dataset.news;
    this.dispatchEvent(new CustomEvent("live", { detail: JSON.parse(fresh.dataset.mine), bubbles: true }));
  }
}
customElements.define("live-part", LivePart);
