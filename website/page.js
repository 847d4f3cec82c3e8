// Search, the button for light and dark, the menu, and the film of the front page.
document.getElementById("theme").addEventListener("click", window.turnTheme);

const search = document.getElementById("search");
if (window.PagefindUI)
  new PagefindUI({
    element: search, baseUrl: new URL(search.dataset.root || ".", location.href).pathname,
    showImages: false, showSubResults: true, resetStyles: false,
    translations: { placeholder: "Search the lessons" },
  });

const menu = document.querySelector("details.menu");
document.addEventListener("click", (event) => { if (menu && !menu.contains(event.target)) menu.open = false; });
document.addEventListener("keydown", (event) => { if (menu && event.key === "Escape") menu.open = false; });

// The film plays, again and again, until the reader takes it over; not where motion is unwanted.
const film = document.querySelector(".film [data-player]");
if (film && !matchMedia("(prefers-reduced-motion: reduce)").matches) {
  const press = () => film.querySelector("button.play").click();
  const again = setInterval(() => {
    if (+film.dataset.step < +film.dataset.steps - 1) return;
    film.dispatchEvent(new KeyboardEvent("keydown", { key: "Home" }));
    press();
  }, 4000);
  for (const kind of ["pointerdown", "keydown"])
    film.addEventListener(kind, (event) => event.isTrusted && clearInterval(again), true);
  setTimeout(press, 800);
}
