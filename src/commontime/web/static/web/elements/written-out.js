// <written-out> says what the field before it holds as the page's person writes days and times; the field shows them as the browser does.
class WrittenOut extends HTMLElement {
  connectedCallback() {
    const { lang } = document.documentElement;
    this.days = new Intl.DateTimeFormat({ en: "en-GB" }[lang] ?? lang, { weekday: "long", day: "numeric", month: "long", timeZone: "UTC" });
    this.previousElementSibling.addEventListener("input", this);
  }
  handleEvent({ target: { value } }) {
    const at = value.indexOf(":") - 2;
    const day = Date.parse(at < 0 ? value : value.slice(0, Math.max(0, at - 1)));
    this.textContent = [day ? this.days.format(day) : "", at < 0 ? "" : this.time(value.slice(at))].filter(Boolean).join(", ");
  }
  time(text) {
    const [hour, minute] = text.split(":");
    return this.dataset.clock.includes("A") ? `${(+hour + 11) % 12 + 1}:${minute} ${hour < 12 ? "am" : "pm"}` : `${+hour}:${minute}`;
  }
}
customElements.define("written-out", WrittenOut);
