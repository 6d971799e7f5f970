// <local-zone> fills the device's time zone into its field, and shows itself where another zone is
// stored.
// data-stored: all names of the stored zone, since browsers use other names than people choose.
class LocalZone extends HTMLElement {
  connectedCallback() {
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    if (!zone || this.dataset.stored?.split(" ").includes(zone)) return;
    this.querySelector("[name=time_zone]").value = zone;
    for (const place of this.querySelectorAll(".zone-name")) place.textContent = zone;
    this.hidden = false;
  }
}
customElements.define("local-zone", LocalZone);
