// F and S on the card that has the keyboard's focus; the style frames that card then, see images.css. While none has it,
// the page's own buttons answer to the keys, about the card that the page frames.
const CARDS = ".st-key-evaluate-mistakes [class*='st-key-mistake-']";

// Streamlit draws a button with a help text twice, one of the two for narrow screens; one is to be seen.
const waiting = (card) => [...card.querySelectorAll("[class*='st-key-flag-'] button")].find((one) => one.offsetParent);

export default function () {
  const onKey = (event) => {
    const key = event.key.toLowerCase();
    const at = document.activeElement;
    const card = at?.matches(":focus-visible") ? at.closest(CARDS) : null;
    if (!card || (key !== "f" && key !== "s") || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopImmediatePropagation(); // the page's button would take the same key for the card that it frames
    if (event.repeat) return;
    const cards = [...document.querySelectorAll(CARDS)];
    const place = cards.indexOf(card);
    const following = [...cards.slice(place + 1), ...cards.slice(0, place)];
    following.map(waiting).find(Boolean)?.focus();
    if (key === "f") waiting(card)?.click(); // one that is flagged already stays so
  };
  window.addEventListener("keydown", onKey, true);
  return () => window.removeEventListener("keydown", onKey, true);
}
