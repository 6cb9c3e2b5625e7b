// What opens over the gallery: one picture enlarged with its neighbours, why to flag, earlier decisions, the keys.
function dialogsOf(root, does) {
  const boxes = {};
  for (const name of ["look", "why", "past", "keys"]) boxes[name] = root.querySelector(`dialog.${name}`);
  let looking = null; // the image that is enlarged
  let last = null; // what the server said last
  let history = "";

  for (const box of Object.values(boxes)) {
    box.addEventListener("keydown", (event) => {
      event.stopPropagation(); // the page's own keys are not meant
      if (box === boxes.look) does.key(event);
    });
    box.addEventListener("click", (event) => event.target === box && box.close());
  }
  boxes.look.addEventListener("close", () => (looking = null));

  function show(box) {
    if (!box.open) box.showModal();
  }

  function close() {
    for (const box of Object.values(boxes)) if (box.open) box.close();
  }

  function head(title, box) {
    return make(
      "header",
      {},
      make("h3", {}, title),
      make("button", { type: "button", class: "close", "aria-label": "Close", onclick: () => box.close() }, "✕"),
    );
  }

  // ---- one picture

  function look(index, item, data) {
    looking = index;
    draw(item, data, data.look?.index === index ? data.look : null);
    show(boxes.look);
  }

  function draw(item, data, more) {
    const box = boxes.look;
    const label = item ? item.label : (more?.label ?? -1);
    const picture = make("div", { class: "large", role: "img", "aria-label": `Image ${looking}` });
    const place = item ? data.items.findIndex((one) => one.i === item.i) : -1;
    if (more) picture.style.backgroundImage = `url("${more.src}")`;
    else if (place >= 0) cut(picture, place, data); // at once, until the exact one is there
    const turning = (words, name, by) =>
      make("button", { type: "button", "aria-label": name, onclick: () => does.move(by) }, words);
    const words = make("div", { class: "words" });
    const chip = make("p", { class: "chip" }, make("i"), label >= 0 ? data.classes[label].title : "no label");
    chip.style.setProperty("--edge", label >= 0 ? data.classes[label].colour : "var(--quiet)");
    words.append(chip);
    if (item && !item.included) words.append(make("p", {}, "✕ excluded"));
    else if (item?.flagged) words.append(make("p", {}, "⚑ flagged"));
    if (more) {
      for (const reason of more.reasons) words.append(make("p", { class: "reason" }, reason));
      if (more.probabilities.length) words.append(bars(more, data));
      words.append(
        make("dl", {}, ...more.facts.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)])),
      );
    } else words.append(make("p", { class: "quiet" }, "Looking it up …"));
    box.replaceChildren(
      head(`Image ${looking.toLocaleString("en")}`, box),
      make("div", { class: "body" }, make("div", {}, picture, make("div", { class: "acts" }, turning("‹ before", "Image before", -1), turning("next ›", "Next image", 1))), words),
      more ? neighbours(more, data) : "",
    );
  }

  function bars(more, data) {
    const list = make("ul", { class: "bars", "aria-label": `What ${more.run} says` });
    list.append(make("li", { class: "quiet" }, `What ${more.run} says${more.learned ? ", which learned from this image" : ""}`));
    for (const [label, share] of more.probabilities) {
      const bar = make("i");
      bar.style.width = `${share}%`;
      bar.style.setProperty("--edge", data.classes[label].colour);
      list.append(make("li", {}, make("span", {}, data.classes[label].title), make("b", {}, bar), make("em", {}, `${share} %`)));
    }
    return list;
  }

  function neighbours(more, data) {
    const section = make("section", { class: "near" }, make("h4", {}, more.near_by));
    const row = make("div", { class: "row" });
    for (const one of more.near) {
      const title = one.label >= 0 ? data.classes[one.label].title : "no label";
      const made = make(
        "button",
        { type: "button", "aria-label": `Image ${one.i}, ${title}, ${one.like} % alike`, onclick: () => does.look(one.i) },
        make("img", { src: one.src, alt: "" }),
        make("span", {}, title),
        make("small", {}, `${one.like} % alike`),
      );
      made.style.setProperty("--edge", one.label >= 0 ? data.classes[one.label].colour : "var(--quiet)");
      row.append(made);
    }
    section.append(row);
    return section;
  }

  // ---- why to flag

  function reasons(list, take) {
    const box = boxes.why;
    const choose = (why) => {
      box.close();
      take(why);
    };
    const own = make("input", { type: "text", "aria-label": "Another reason", placeholder: "Another reason", maxlength: "200" });
    const typed = (event) => {
      event.preventDefault();
      if (own.value.trim()) choose(own.value.trim());
    };
    box.replaceChildren(
      head("Flag it, because …", box),
      make(
        "div",
        { class: "list" },
        ...list.map((why, place) =>
          make("button", { type: "button", onclick: () => choose(why) }, why, make("kbd", { "aria-hidden": "true" }, String(place + 1))),
        ),
      ),
      make("form", { onsubmit: typed }, own, make("button", {}, "Flag")),
    );
    box.onkeydown = (event) => {
      if (event.target === own) return;
      const place = Number(event.key) - 1;
      if (list[place]) choose(list[place]);
      else if (event.key.toLowerCase() === "f") choose(list[0]);
      else return;
      event.preventDefault();
    };
    show(box);
    box.querySelector(".list button").focus();
  }

  // ---- earlier decisions, each of which can be taken back

  function past() {
    history = "";
    drawPast();
    show(boxes.past);
    boxes.past.querySelector(".list button")?.focus();
  }

  function drawPast() {
    const told = JSON.stringify(last.history);
    if (told === history) return;
    history = told;
    const box = boxes.past;
    const focused = root.getRootNode().activeElement?.dataset?.batch;
    const list = make("div", { class: "list" });
    for (const one of last.history) {
      const press = () => does.undoBatch(one.batch);
      list.append(
        make(
          "button",
          { type: "button", "data-batch": one.batch, onclick: press, class: one.undone ? "undone" : "" },
          make("span", {}, `${one.text}`, make("small", {}, ` ${one.when}${one.undone ? ", taken back" : ""}`)),
          make("em", {}, one.undone ? "Do again" : "Take back"),
        ),
      );
    }
    if (!last.history.length) list.append(make("p", { class: "quiet" }, "Nothing has been decided yet."));
    box.replaceChildren(head("Earlier decisions", box), list);
    box.onkeydown = (event) => {
      const rows = [...list.querySelectorAll("button")];
      const to = rows.indexOf(root.getRootNode().activeElement) + ({ ArrowDown: 1, ArrowUp: -1 }[event.key] ?? 0);
      if (event.key.startsWith("Arrow") && rows[to]) {
        rows[to].focus();
        event.preventDefault();
      } else if (event.key.toLowerCase() === "h") box.close();
    };
    if (focused) list.querySelector(`[data-batch="${focused}"]`)?.focus();
  }

  // ---- the keys

  function help(classes) {
    const keys = [
      ["← → ↑ ↓", "go from image to image; with Shift select the stretch"],
      ["Page ↑ ↓", "the page before, the next page"],
      ["Enter", "select, or no more"],
      ["Ctrl A", "select the page; Esc selects nothing"],
      ["Space", "enlarge, with the images most like it"],
      ["X", "exclude"],
      ["K", "keep"],
      ["F", "flag, with a reason"],
      ["S", "relabel as suggested, else as the model says"],
      [`${classes[0]?.shortcut ?? 1} to ${classes[classes.length - 1]?.shortcut ?? 8}`, "relabel: " + classes.map((one) => `${one.shortcut} ${one.title}`).join(", ")],
      ["Z", "take back what you did last, then what was before it"],
      ["U", "take back the decision about this image"],
      ["H", "earlier decisions: take back any"],
      ["?", "these keys"],
    ];
    boxes.keys.replaceChildren(
      head("Keys", boxes.keys),
      make("dl", {}, ...keys.flatMap(([key, words]) => [make("dt", {}, make("kbd", {}, key)), make("dd", {}, words)])),
      make("p", { class: "quiet" }, "They act on what is selected, else on the framed image. Nothing is deleted: every decision can be taken back."),
    );
    show(boxes.keys);
  }

  return {
    close,
    look,
    reasons,
    help,
    history: past,
    open: () => Object.values(boxes).some((box) => box.open),
    over: () => ["why", "past", "keys"].some((name) => boxes[name].open),
    update(data, items) {
      last = data;
      if (boxes.past.open) drawPast();
      if (!boxes.look.open || looking === null) return;
      const more = data.look?.index === looking ? data.look : null;
      const item = items.find((one) => one.i === looking) ?? null;
      const focused = root.getRootNode().activeElement?.getAttribute?.("aria-label");
      draw(item, data, more);
      if (focused) [...boxes.look.querySelectorAll("[aria-label]")].find((one) => one.getAttribute("aria-label") === focused)?.focus();
    },
  };
}
