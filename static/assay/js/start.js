// Live ticks of the start-here page. Without JavaScript the page shows the same after a reload.
//
// GET data-status answers {steps: [{key, done, words, entry}], done, size, signed, state, mine: HTML of ours}.
"use strict";
(() => {
  const list = document.querySelector("ol.steps");
  const mine = document.getElementById("mine");
  const number = new Intl.NumberFormat("en");
  const initialState = document.body.classList.contains("alarm") ? "frozen" : "";
  let wait = 2000;

  function tick(step) {
    const item = document.getElementById("step-" + step.key);
    item.querySelector(".words").textContent = step.words;
    const at = item.querySelector(".at");
    if (step.entry !== null && at.textContent !== String(step.entry)) {
      const link = document.createElement("a");
      link.className = "mono";
      link.href = list.dataset.entry + step.entry + "/";
      link.textContent = step.entry;
      at.replaceChildren(link);
    }
    if (step.done === item.classList.contains("done")) return;
    item.classList.toggle("done", step.done);
    item.classList.add("fresh");
    const mark = item.querySelector(".tick .st");
    mark.className = "st " + (step.done ? "ok" : "todo");
    mark.querySelector("use").setAttribute("href", list.dataset.marks + (step.done ? "#ok" : "#todo"));
    mark.lastChild.textContent = step.done ? list.dataset.done : list.dataset.open;
  }

  function show(status) {
    status.steps.forEach(tick);
    document.getElementById("live-size").textContent = number.format(status.size);
    document.getElementById("live-signed").textContent = number.format(status.signed);
    const progress = document.getElementById("progress");
    progress.textContent = progress.textContent.replace(/\d+/, status.done);
    if (mine.dataset.last !== status.mine) {
      mine.dataset.last = status.mine;
      mine.innerHTML = status.mine;
    }
    if (status.state === "frozen" && initialState !== "frozen") window.location.reload();
  }

  async function poll() {
    if (!document.hidden) {
      try {
        const answer = await fetch(list.dataset.status, { headers: { Accept: "application/json" } });
        if (!answer.ok) throw new Error(String(answer.status));
        show(await answer.json());
        wait = 2000;
      } catch {
        wait = Math.min(wait * 2, 30000);
      }
    }
    window.setTimeout(poll, wait);
  }
  window.setTimeout(poll, wait);
})();
