// <busy-form> sends its form only once, and says meanwhile that it takes a moment.
class BusyForm extends HTMLElement {
  connectedCallback() {
    this.addEventListener("submit", this);
    window.addEventListener("pageshow", this);
  }
  disconnectedCallback() {
    window.removeEventListener("pageshow", this);
  }
  handleEvent(event) {
    if (event.type === "submit" && this.sent) event.preventDefault();
    // A page that comes back from the browser's memory can be sent again.
    this.sent = event.type === "submit";
    const place = this.querySelector(".busy");
    place.textContent = this.sent ? place.dataset.says : "";
    this.toggleAttribute("data-sent", this.sent);
  }
}
customElements.define("busy-form", BusyForm);
