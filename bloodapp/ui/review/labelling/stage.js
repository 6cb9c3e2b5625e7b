// One picture, for the gallery's enlarged one, which asks for it by its place among the items.
function cut(element, place, data) {
  const item = data.items[place];
  paint(element, data.blocks[item.block], item.cell);
}

// What is seen of one image: large, with what may be said of it, the ones that come next, and whether all is saved.
function stageOf(root, does) {
  const parts = {};
  for (const name of ["status", "seen", "choice", "film", "foot"]) parts[name] = root.querySelector(`.${name}`);
  const big = make("div", { class: "big", tabindex: "0" });
  const under = make("p", { class: "under" });
  parts.seen.append(big, under);

  function named(data, item) {
    const where = data.mode === "blind" ? `Image ${item.pos + 1} of ${data.window.total}` : `Image ${item.i.toLocaleString("en")}`;
    if (data.mode === "queue" && item.done) return `${where}, ${stateOf(data, item)}`;
    if (data.mode === "queue" && item.proposal >= 0)
      return `${where}, proposed ${data.classes[item.proposal].title} ${percent(item.probs[item.proposal])}`;
    if (data.mode === "settle") return `${where}, ${item.said.map((one, k) => `${data.names[k]}: ${title(data, one)}`).join(", ")}`;
    return where;
  }

  function stateOf(data, item) {
    if (!item.included) return "✕ excluded";
    if (item.done && data.mode === "settle") return `✓ settled: ${title(data, item.label)}`;
    if (item.done) return `✓ ${data.mode === "blind" ? "you said" : "labelled"} ${title(data, item.label)}`;
    return item.flagged ? "⚑ put aside" : "";
  }

  function title(data, label) {
    return label >= 0 ? data.classes[label].title : data.mode === "queue" ? "no label" : "cannot tell";
  }

  function percent(share) {
    return share >= 0.995 && share < 1 ? "over 99 %" : `${Math.round(100 * share)} %`;
  }

  function draw(data, item, next, more) {
    root.dataset.mode = data.mode;
    root.setAttribute("aria-busy", String(more.at === null));
    drawSeen(data, item, more);
    drawChoice(data, item, more);
    drawFilm(data, item, next);
    drawFoot(data, item, more);
  }

  function drawSeen(data, item, more) {
    big.hidden = !item;
    if (item) {
      paint(big, data.blocks[item.block], item.cell);
      big.setAttribute("role", "img");
      big.setAttribute("aria-label", named(data, item));
      big.dataset.index = data.mode === "blind" ? item.pos : item.i;
      const state = stateOf(data, item);
      const where = data.mode === "blind" ? `${item.pos + 1} of ${data.window.total}` : `Image ${item.i.toLocaleString("en")}`;
      under.replaceChildren(make("span", {}, where), state ? make("b", {}, state) : "");
      return;
    }
    under.replaceChildren(
      more.at === -1 ? make("span", { class: "finished" }, make("strong", {}, data.finished[0]), data.finished[1]) : "Looking for the next image …",
    );
  }

  // The way in which one answers: the proposal first, then every class, then what else may become of an image.
  function drawChoice(data, item, more) {
    const rest = make("div", { class: "rest", role: "group", "aria-label": "Other" });
    if (item && data.mode === "queue")
      rest.append(
        button("No cell", "X", () => does.act("exclude"), { title: "Exclude it from the dataset" }),
        button("Put aside", "F", does.flag),
      );
    if (item && data.mode === "blind") rest.append(button("Cannot tell", "0", () => does.answer(-1), { class: "tell" }));
    if (item) rest.append(button("Pass over", "N", does.pass), button("Back", "←", does.back));
    rest.append(button("Take back", "Z", does.undo, { disabled: !more.last }));
    if (item && data.mode !== "blind") rest.append(button("Most like it", "Space", () => does.ask()));
    rest.append(button("Keys", "?", does.help));
    parts.choice.replaceChildren(...(item ? [first(data, item), classes(data, item)] : []), rest);
  }

  function first(data, item) {
    if (data.mode === "blind") return make("p", { class: "ask" }, "What is it?");
    if (data.mode === "settle")
      return make(
        "div",
        { class: "proposal" },
        make("p", { class: "quiet" }, item.done ? "Settled; you may decide anew" : "They disagree. What is it?"),
        item.label >= 0 && chosen(data, item.label, `Keep ${data.classes[item.label].title}`, "Enter", "the label now"),
      );
    if (item.proposal < 0)
      return make("p", { class: "ask" }, "What is it?", make("small", {}, data.run ? `${data.run} says nothing about it` : "No run has proposed labels yet"));
    const unsure = item.rest > 0.005 ? `, something else ${percent(item.rest)}` : "";
    return make(
      "div",
      { class: "proposal" },
      make("p", { class: "quiet" }, item.learned ? `${data.run} learned from this image, and says` : `${data.run} proposes`),
      chosen(data, item.proposal, data.classes[item.proposal].title, "S", `${percent(item.probs[item.proposal])}${unsure}`),
    );
  }

  function chosen(data, label, words, key, note) {
    const made = make(
      "button",
      { type: "button", class: "take", onclick: does.propose },
      make("i"),
      make("b", {}, words),
      make("span", {}, note),
      make("kbd", { "aria-hidden": "true" }, key),
    );
    made.style.setProperty("--edge", data.classes[label].colour);
    return made;
  }

  function classes(data, item) {
    const list = make("div", { class: "classes", role: "group", "aria-label": "Classes" });
    data.classes.forEach((one, label) => {
      const share = item.probs ? item.probs[label] : null;
      const said = (item.said ?? []).flatMap((which, k) => (which === label ? [data.names[k]] : []));
      const row = make(
        "button",
        { type: "button", onclick: () => does.answer(label), "aria-pressed": String(item.done && item.included && item.label === label), "data-label": label },
        make("i"),
        make("span", {}, one.title),
        said.length ? make("em", { class: "who" }, said.join(", ")) : "",
        share !== null ? make("b", { class: "share", "aria-hidden": "true" }, make("u")) : "",
        share !== null ? make("em", {}, percent(share).replace("over ", ">")) : "",
        one.shortcut && make("kbd", { "aria-hidden": "true" }, one.shortcut),
      );
      row.style.setProperty("--edge", one.colour);
      if (share !== null) row.querySelector("u").style.width = `${100 * share}%`;
      list.append(row);
    });
    for (const [k, one] of (item.said ?? []).entries())
      if (one < 0) list.append(make("p", { class: "quiet" }, `${data.names[k]} could not tell.`));
    return list;
  }

  function button(words, key, onclick, more = {}) {
    return make("button", { type: "button", onclick, ...more }, words, make("kbd", { "aria-hidden": "true" }, key));
  }

  function drawFilm(data, item, next) {
    const shown = item ? [item, ...next] : [];
    parts.film.replaceChildren(
      ...shown.map((one, place) => {
        const attributes = { type: "button", onclick: () => does.show(one.i), "aria-label": named(data, one) };
        const made = make("button", place ? attributes : { ...attributes, "aria-current": "true" }, make("span"));
        paint(made.firstChild, data.blocks[one.block], one.cell);
        return made;
      }),
    );
    parts.film.hidden = !item;
  }

  function drawFoot(data, item, more) {
    const all = data.all;
    const bar = make("u");
    bar.style.width = `${all ? (100 * (all - more.left)) / all : 100}%`;
    parts.foot.replaceChildren(
      make("span", {}, `${(all - more.left).toLocaleString("en")} of ${all.toLocaleString("en")} ${data.mode === "blind" ? "read" : data.mode === "settle" ? "settled" : "labelled"}`),
      make("b", { class: "share whole", "aria-hidden": "true" }, bar),
      make(
        "span",
        { class: more.pending ? "saving" : "saved" },
        more.pending ? `Saving ${more.pending.toLocaleString("en")} …` : "✓ All saved",
      ),
    );
  }

  function help(data) {
    const box = root.querySelector("dialog.keys");
    const queue = data.mode === "queue";
    const digits = data.classes.filter((one) => one.shortcut);
    const keys = [
      queue && ["S or Enter", "take the proposal"],
      data.mode === "settle" && ["Enter", "keep the label"],
      digits.length && [`${digits[0].shortcut} to ${digits[digits.length - 1].shortcut}`, digits.map((one) => `${one.shortcut} ${one.title}`).join(", ")],
      data.mode === "blind" && ["0", "cannot tell"],
      queue && ["X", "no cell: exclude it"],
      queue && ["F", "put it aside, with a reason"],
      ["N or →", "pass over: it comes again at the end"],
      ["←", "the image before"],
      ["Z", "take back what you did last, and return to it"],
      data.mode !== "blind" && ["Space", "the labelled images most like it"],
      ["?", "these keys"],
    ].filter(Boolean);
    const close = make("button", { type: "button", class: "close", "aria-label": "Close", onclick: () => box.close() }, "✕");
    box.replaceChildren(
      make("header", {}, make("h3", {}, "Keys"), close),
      make("dl", {}, ...keys.flatMap(([key, words]) => [make("dt", {}, make("kbd", {}, key)), make("dd", {}, words)])),
      make("p", { class: "quiet" }, "Enter, Space and the arrows act while the image or nothing has the focus. Nothing is deleted."),
    );
    box.showModal();
  }

  return {
    draw,
    named,
    help,
    focus: () => big.focus({ preventScroll: true }),
    say(text, wrong = false) {
      parts.status.textContent = text;
      parts.status.classList.toggle("wrong", wrong);
    },
  };
}
