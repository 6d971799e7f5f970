// <tick-all> has a tick above its list that ticks all of the list, or none.
class TickAll extends HTMLElement {
  connectedCallback() {
    this.first = this.querySelector("input");
    this.ticks = [...this.querySelectorAll("li > label > input")];
    this.firstElementChild.hidden = this.ticks.length < 2;
    this.addEventListener("change", this);
    this.show();
  }
  disconnectedCallback() {
    this.removeEventListener("change", this);
  }
  handleEvent({ target }) {
    if (target === this.first) for (const tick of this.ticks) tick.checked = target.checked;
    this.show();
  }
  show() {
    const ticked = this.ticks.filter((tick) => tick.checked).length;
    this.first.checked = ticked === this.ticks.length;
    this.first.indeterminate = ticked > 0 && ticked < this.ticks.length;
  }
}
customElements.define("tick-all", TickAll);
