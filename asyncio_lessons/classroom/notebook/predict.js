(script => {
  const box = script.closest("[data-predict]"), name = box.dataset.predict;
  const folds = [...box.querySelectorAll("details")];
  const read = () => {
    try { return JSON.parse(localStorage.getItem(STORE)) || {}; }
    catch { return window[STORE] || {}; }
  };
  const keep = letter => {
    const all = {[name]: letter, ...read()};
    window[STORE] = all;
    try { localStorage.setItem(STORE, JSON.stringify(all)); } catch { }
  };
  const say = text => { box.querySelector("[data-note]").textContent = text; };
  const note = () => {
    const first = read()[name];
    if (!first) return;
    const text = box.querySelector(`[data-answer="${first}"] summary`).textContent;
    say(`Your first answer: ${text}.${box.closest(".lm-Widget") ? " Run the cell below." : ""}`);
  };
  let uncover = () => { };
  folds.forEach(fold => fold.addEventListener("toggle", () => {
    if (!fold.open) return;
    keep(fold.dataset.answer);
    note();
    uncover();
  }));
  const typed = folds.find(fold => fold.open);
  if (typed) keep(typed.dataset.answer);
  note();
  const cover = () => {
    const cell = box.closest(".jp-Cell")?.nextElementSibling;
    const below = cell?.querySelector(".jp-Cell-outputWrapper");
    if (!below || box.closest(".lm-Widget") || read()[name]) return;
    say("Click your answer: then the output below is shown.");
    const show = document.createElement("button");
    show.textContent = "Show the output";
    show.style.margin = "4px 0";
    below.style.display = "none";
    below.before(show);
    uncover = () => { below.style.display = ""; show.remove(); };
    show.onclick = () => uncover();
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", cover);
  else cover();
})(document.currentScript);
