// <copy-link> copies the link it holds when it is opened. Where the browser allows no copying, the
// link stays selected, to be copied by hand.
class CopyLink extends HTMLElement {
  connectedCallback() {
    this.querySelector("summary").addEventListener("click", this);
  }
  async handleEvent(event) {
    const details = this.firstElementChild;
    const field = this.querySelector("input");
    const said = this.querySelector("[role=status]");
    event.preventDefault();
    details.open = !details.open;
    said.textContent = "";
    if (!details.open) return;
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
      said.textContent = this.dataset.copied;
    } catch {
      field.focus();
    }
  }
}
customElements.define("copy-link", CopyLink);
