// <written-out> repeats the day and time of the field before it as the reader writes them; the
// field itself shows them as the browser is set up.
import { written } from "./clock.js";
const isThisYear = (day) => new Date(day).getUTCFullYear() === new Date().getFullYear();
class WrittenOut extends HTMLElement {
  connectedCallback() {
    const { lang } = document.documentElement;
    const parts = { weekday: "long", day: "numeric", month: "long", timeZone: "UTC" };
    const written = (more) => new Intl.DateTimeFormat({ en: "en-GB" }[lang] ?? lang, more);
    this.days = written(parts);
    this.dated = written({ ...parts, year: "numeric" });
    this.previousElementSibling.addEventListener("input", this);
  }
  handleEvent({ target: { value } }) {
    const at = value.indexOf(":") - 2;
    const day = Date.parse(at < 0 ? value : value.slice(0, Math.max(0, at - 1)));
    this.textContent = [
      day ? (isThisYear(day) ? this.days : this.dated).format(day) : "",
      at < 0 ? "" : written(value.slice(at), this.dataset.clock.includes("A")),
    ]
      .filter(Boolean)
      .join(", ");
  }
}
customElements.define("written-out", WrittenOut);
