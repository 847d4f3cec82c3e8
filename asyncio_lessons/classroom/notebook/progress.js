(script => {
  const root = script.closest("[data-progress]");
  let clicked = {}, left = 0;
  try { clicked = JSON.parse(localStorage.getItem(STORE)) || {}; } catch { clicked = window[STORE] || {}; }
  root.querySelectorAll("tr").forEach(row => {
    const asked = JSON.parse(row.dataset.asked), names = Object.keys(asked);
    const made = names.filter(name => asked[name] || clicked[name]).length;
    if (names.length) row.querySelector("[data-made]").textContent = `${made} of ${names.length} predicted`;
    const {minutes, steps, passed} = row.dataset;
    if (+steps) left += minutes * (1 - (made + +passed) / steps);
  });
  const all = 5 * Math.round(left / 5), hours = Math.floor(all / 60), rest = all % 60;
  const words = [hours ? `${hours} h` : "", rest || !hours ? `${rest} min` : ""].filter(Boolean);
  root.querySelector("[data-left]").textContent = `About ${words.join(" ")} left.`;
})(document.currentScript);
