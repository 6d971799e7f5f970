// <local-zone> fills the device's time zone into the field inside it, and shows itself where another one is stored.
class LocalZone extends HTMLElement {
  connectedCallback() {
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    if (!zone || zone === this.dataset.stored) return;
    this.querySelector("[name=time_zone]").value = zone;
    for (const place of this.querySelectorAll(".zone-name")) place.textContent = zone;
    this.hidden = false;
  }
}
customElements.define("local-zone", LocalZone);
