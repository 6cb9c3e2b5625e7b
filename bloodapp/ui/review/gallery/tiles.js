// One picture of the gallery: cut out of the picture that holds the whole page, with what is known under it.
function tileFor(item, place, data) {
  const picture = make("div", { class: "picture" });
  cut(picture, place, data);
  return make(
    "div",
    { role: "option", tabindex: "-1", "data-index": item.i, "aria-selected": "false" },
    picture,
    make("div", { class: "label" }, make("i"), make("span")),
    make("div", { class: "note" }),
    make("div", { class: "said" }),
    make("div", { class: "tick", "aria-hidden": "true" }, "✓"),
  );
}

// Show one picture out of the one that holds the page.
function cut(element, place, data) {
  paint(element, { src: data.sprite, columns: data.columns, rows: data.rows }, place);
}

// Write on a tile what holds now; what has not changed is left alone.
function dress(tile, item, selected, classes) {
  const title = item.label >= 0 ? classes[item.label].title : "no label";
  const note = stateOf(item, classes);
  const said = hints(item, classes);
  const mark = JSON.stringify([item.label, note, said, selected, item.found, item.waits ?? false]);
  if (tile.drawn === mark) return;
  tile.drawn = mark;
  const name = [`Image ${item.i.toLocaleString("en")}`, title, note.words, ...said, item.found].filter(Boolean).join(", ");
  tile.setAttribute("aria-label", name);
  tile.setAttribute("aria-selected", String(selected));
  tile.title = item.found ? `${item.name}: ${item.found}` : item.name;
  tile.className = [note.kind, item.waits ? "waits" : ""].join(" ").trim();
  tile.style.setProperty("--edge", item.label >= 0 ? classes[item.label].colour : "var(--quiet)");
  tile.querySelector(".label span").textContent = title;
  tile.querySelector(".note").textContent = note.words ? `${note.sign} ${note.words}` : "";
  tile.querySelector(".said").textContent = said.join(" · ");
}

function stateOf(item, classes) {
  if (!item.included) return { kind: "out", sign: "✕", words: "excluded" };
  if (item.flagged) return { kind: "flagged", sign: "⚑", words: "flagged" };
  if (item.label !== item.given) {
    const words = item.given >= 0 ? `was ${classes[item.given].title}` : "labelled here";
    return { kind: "relabelled", sign: "↷", words };
  }
  if (item.decided) return { kind: "kept", sign: "✓", words: "kept" };
  return { kind: "", sign: "", words: "" };
}

function hints(item, classes) {
  const parts = [];
  const same = item.predicted === item.suggested; // said once
  if (item.suggested >= 0 && item.suggested !== item.label && !same) parts.push(`looks like ${classes[item.suggested].title}`);
  if (item.predicted >= 0) {
    parts.push(item.predicted === item.label ? `model agrees, ${item.sure} %` : `model says ${classes[item.predicted].title}, ${item.sure} %`);
  }
  return parts;
}
