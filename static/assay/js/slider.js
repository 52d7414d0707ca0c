// The time slider: names the state it stands on while it moves, and shows it when it is let go. Without this script
// the button beside it does the same.
"use strict";
for (const range of document.querySelectorAll(".slider input[type=range]")) {
  const labels = document.getElementById(range.dataset.labels);
  const output = range.form.querySelector("output");
  const name = () => {
    const option = labels.querySelector(`option[value="${Number(range.value)}"]`);
    output.textContent = option ? option.label : "";
    range.setAttribute("aria-valuetext", output.textContent);
  };
  name();
  range.addEventListener("input", name);
  range.addEventListener("change", () => range.form.requestSubmit());
}
