// Cards of pictures that are opened or chosen by a click or by keys: arrows move, Enter and Space press.
// A card is a button; which one was pressed is reported once, and the page decides what that means.
export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".pairs");
  const columns = () => getComputedStyle(root).gridTemplateColumns.split(" ").length;
  const moves = { ArrowLeft: () => -1, ArrowRight: () => 1, ArrowUp: () => -columns(), ArrowDown: () => columns() };
  root.style.setProperty("--card", `${data.width}px`);
  root.classList.toggle("strip", data.strip);
  root.setAttribute("aria-label", data.label);

  const picture = (one, kind) => {
    const part = document.createElement("span");
    part.className = kind;
    part.title = one.hint;
    const image = document.createElement("img");
    image.src = one.src;
    image.alt = one.hint;
    const band = document.createElement("i");
    band.style.background = one.band;
    part.append(image, band);
    return part;
  };
  const press = (place) => {
    if (!data.strip) focusAgain(place);
    setTriggerValue("pressed", data.cards[place].id);
  };
  // What a card opens is a dialog of the page: when it has come and gone, the keyboard is at the card again.
  const focusAgain = (place) => {
    let come = false;
    root.watch?.disconnect();
    root.watch = new MutationObserver(() => {
      const there = document.querySelector('[role="dialog"]') !== null;
      come ||= there;
      if (!come || there) return;
      root.watch.disconnect();
      requestAnimationFrame(() => root.children[place]?.focus());
    });
    root.watch.observe(document.body, { childList: true, subtree: true });
  };
  const moved = (event, place) => {
    if (!(event.key in moves)) return;
    const target = root.children[place + moves[event.key]()];
    event.preventDefault();
    if (!target) return;
    target.focus();
    if (data.strip) press([...root.children].indexOf(target));
  };
  const make = (one, place) => {
    const card = document.createElement("button");
    card.type = "button";
    card.dataset.id = one.id;
    if (data.strip) card.setAttribute("aria-pressed", String(one.chosen));
    card.append(...one.pictures.map((each, number) => picture(each, number === 0 && !data.strip ? "before" : "after")));
    if (one.text) {
      const words = document.createElement("em");
      words.textContent = one.text;
      card.append(words);
    }
    card.onclick = () => press(place);
    card.onkeydown = (event) => moved(event, place);
    return card;
  };
  // A new drawing keeps the keyboard where it was.
  const at = [...root.children].indexOf(root.getRootNode().activeElement);
  root.replaceChildren(...data.cards.map(make));
  if (at >= 0) root.children[Math.min(at, root.children.length - 1)]?.focus();
}
