// Copy buttons: shown only where they work; without JavaScript the text is selected by hand.
"use strict";
if (navigator.clipboard) {
  for (const button of document.querySelectorAll("button.copy")) {
    const words = button.textContent;
    button.hidden = false;
    button.type = "button";
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copies).textContent);
      button.textContent = "✓ " + words;
      window.setTimeout(() => { button.textContent = words; }, 1500);
    });
  }
}
