// <plan-progress> asks every second how far a search is, as long as it runs, and shows the answer.
const ASK_EVERY = 1000;

class PlanProgress extends HTMLElement {
  connectedCallback() {
    this.timer = setInterval(() => this.ask(), ASK_EVERY);
    document.addEventListener("visibilitychange", this);
  }
  disconnectedCallback() {
    clearInterval(this.timer);
    document.removeEventListener("visibilitychange", this);
  }
  handleEvent() {
    this.ask();
  }
  get part() {
    return this.querySelector(".result");
  }

  async ask() {
    const { part } = this;
    if (document.hidden || this.asking || !part.hasAttribute("data-running")) return;
    this.asking = true;
    try {
      const answer = await fetch(this.dataset.url, {
        headers: { "If-None-Match": part.dataset.tag },
        redirect: "manual",
      });
      if ([0, 403, 404].includes(answer.status)) this.disconnectedCallback(); // signed out, or gone
      if (answer.status === 200) this.show(await answer.text());
    } catch {
      /* The next round asks again. */
    } finally {
      this.asking = false;
    }
  }

  show(text) {
    const fresh = new DOMParser().parseFromString(text, "text/html").querySelector(".result");
    if (!fresh) return;
    const focused = this.part.contains(document.activeElement) && document.activeElement;
    this.part.replaceWith(document.adoptNode(fresh));
    if (focused) {
      const same = this.querySelector(`button[value="${focused.value}"]:enabled`);
      (same ?? this.querySelector("h2")).focus();
    }
    const { said } = this.part.dataset;
    const place = this.firstElementChild;
    if (place.textContent !== said) place.textContent = said;
  }
}
customElements.define("plan-progress", PlanProgress);
