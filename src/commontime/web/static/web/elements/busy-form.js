// <busy-form> says that something takes a moment once its form is sent, and sends it only once.
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
    this.sent = event.type === "submit"; // a page that comes back from the browser's memory can be sent again
    const place = this.querySelector(".busy");
    place.textContent = this.sent ? place.dataset.says : "";
    this.toggleAttribute("data-sent", this.sent);
  }
}
customElements.define("busy-form", BusyForm);
