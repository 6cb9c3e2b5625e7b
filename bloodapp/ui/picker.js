// A grid of pictures that are picked by a click; Shift picks the whole stretch from the last one.
// What is picked lives here and is only reported: a slow answer never takes back a quick second click.
export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".picker");
  if (root.dataset.version === data.version) return;
  root.dataset.version = data.version;
  root.style.setProperty("--tile", `${data.width}px`);
  const picked = new Set(data.picked);
  let last = null;

  const show = () => {
    for (const tile of root.children) tile.setAttribute("aria-pressed", picked.has(Number(tile.dataset.id)));
  };
  const toggle = (place, stretch) => {
    const on = !picked.has(data.tiles[place].id);
    const from = stretch && last !== null ? last : place;
    for (let i = Math.min(from, place); i <= Math.max(from, place); i++) {
      if (on) picked.add(data.tiles[i].id);
      else picked.delete(data.tiles[i].id);
    }
    last = place;
    show();
    setStateValue("picked", [...picked].sort((a, b) => a - b));
  };
  const draw = (one, place) => {
    const tile = document.createElement("button");
    tile.type = "button";
    tile.dataset.id = one.id;
    tile.title = one.hint;
    tile.style.setProperty("--edge", one.colour);
    tile.classList.toggle("out", one.out);
    const picture = document.createElement("img");
    picture.src = one.src;
    picture.alt = one.hint;
    const words = document.createElement("span");
    words.textContent = one.text;
    tile.append(picture, words);
    tile.onclick = (event) => toggle(place, event.shiftKey);
    return tile;
  };
  root.replaceChildren(...data.tiles.map(draw));
  show();
}
