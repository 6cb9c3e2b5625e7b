// The picture to keep at the left, another at the right, what differs between them; everything can be done with keys.
// Which of the others is looked at, and how, lives here; only decisions and turning a page are reported.
const MODES = { difference: ["Difference", "d"], blink: ["Blink", "b"], plain: ["Plain", "p"] };
const FLIP_MS = 170; // no picture changes more than three times there and back in a second, whatever key is held
const SVG = "http://www.w3.org/2000/svg";

const el = (tag, kind, text) => {
  const made = document.createElement(tag);
  if (kind) made.className = kind;
  if (text !== undefined) made.textContent = text;
  return made;
};
const picture = (src, words) => {
  const made = el("img");
  made.src = src;
  made.alt = words;
  return made;
};

export default function ({ data, parentElement, setStateValue, setTriggerValue }) {
  const root = parentElement.querySelector(".beside");
  const was = root.now ?? { mode: "difference", place: 0, version: "", flipped: false, at: 0, turned: null };
  const now = (root.now = was);
  const others = data.others;
  if (now.version !== data.version) {
    now.place = now.turned === "back" ? others.length - 1 : 0;
    Object.assign(now, { version: data.version, turned: null, flipped: false });
  }
  now.place = Math.max(0, Math.min(now.place, others.length - 1));

  const act = (action, more) => {
    const one = others[now.place];
    if (one || action === "undo" || action === "whole") setTriggerValue("act", { action, id: one?.id ?? -1, ...more });
  };
  const turn = (way) => {
    const page = data.page + way;
    if (page < 1 || page > data.pages) return;
    now.turned = way < 0 ? "back" : "on";
    setStateValue("page", page);
  };
  const move = (way) => {
    const place = now.place + way;
    if (place < 0 || place >= others.length) return turn(way);
    Object.assign(now, { place, flipped: false });
    draw();
  };
  const choose = (mode) => {
    Object.assign(now, { mode, flipped: false });
    draw();
  };
  const flip = () => {
    if (performance.now() - now.at < FLIP_MS) return;
    now.at = performance.now();
    now.flipped = !now.flipped;
    const frame = root.querySelector("figure.blink");
    frame.classList.toggle("flipped", now.flipped);
    frame.querySelector("figcaption b").textContent = blinkName();
  };
  const blinkName = () => (now.flipped ? others[now.place].name : `${data.kept.name}, to keep`);

  const button = (text, key, action, kind = "") => {
    const made = el("button", kind, text);
    made.type = "button";
    if (key) {
      made.append(el("kbd", "", key));
      made.setAttribute("aria-keyshortcuts", key);
    }
    made.onclick = action;
    return made;
  };
  const caption = (title, one) => {
    const made = el("figcaption");
    const dot = el("i");
    dot.style.background = one.colour;
    const label = el("span", "label");
    label.append(dot, one.label);
    made.append(el("b", "", title), label);
    return made;
  };
  const panel = (kind, title, one, src) => {
    const made = el("figure", kind + (one.out ? " out" : ""));
    made.append(picture(src ?? one.src, `${title}: ${one.name}, ${one.label}, ${one.state}`), caption(title, one));
    return made;
  };
  const difference = (one) => {
    const made = el("figure", "difference");
    const frame = el("div", "frame");
    const words = `Difference: ${[one.words, one.figures].filter(Boolean).join("; ")}`;
    frame.append(picture(data.kept.src, ""));
    if (one.heat) {
      const heat = picture(one.heat, words);
      heat.className = "heat";
      frame.append(heat);
    } else frame.append(el("strong", "", "no difference"));
    if (one.outline) {
      const drawing = document.createElementNS(SVG, "svg");
      drawing.setAttribute("viewBox", `0 0 ${one.size} ${one.size}`);
      drawing.setAttribute("aria-hidden", "true");
      for (const kind of ["under", "over"]) {
        const path = document.createElementNS(SVG, "path");
        path.setAttribute("d", one.outline);
        path.setAttribute("class", kind);
        drawing.append(path);
      }
      frame.append(drawing);
    }
    const under = el("figcaption");
    const text = one.heat ? `${one.times} × amplified` : "";
    under.append(el("b", "", "Difference"), el("span", "", one.outline ? `${text}, places outlined` : text));
    made.append(frame, under);
    return made;
  };
  const blink = (one) => {
    const made = el("figure", "blink");
    const frame = el("button", "frame");
    frame.type = "button";
    frame.setAttribute("aria-label", "Flip between the two pictures");
    const top = picture(one.back || one.src, "");
    top.className = "top";
    frame.append(picture(data.kept.src, ""), top);
    frame.onclick = flip;
    const under = el("figcaption");
    under.setAttribute("aria-live", "polite");
    const how = one.back ? "moved back to lie on the other" : "press the picture or B to flip";
    under.append(el("b", "", blinkName()), el("span", "", how));
    made.append(frame, under);
    return made;
  };

  const panels = (one) => {
    const made = el("div", `panels ${now.mode}`);
    const mine = panel("mine", data.kept.name, data.kept);
    const its = panel("its", one.name, one);
    if (now.mode === "blink") made.append(blink(one));
    else if (now.mode === "difference") made.append(mine, difference(one), its);
    else made.append(mine, its);
    mine.querySelector("figcaption b").append(el("em", "", data.advised ? "to keep" : "compared with"));
    return made;
  };
  const facts = (one) => {
    const table = el("table");
    const top = el("tr");
    top.append(el("td"), el("th", "", data.kept.name), el("th", "", one.name));
    table.createTHead().append(top);
    const body = table.createTBody();
    for (const [name, left, right, differs] of one.facts) {
      const row = el("tr", differs ? "differs" : "");
      const head = el("th", "", name);
      head.scope = "row";
      if (differs) {
        const mark = el("span", "mark", "≠");
        mark.setAttribute("role", "img");
        mark.setAttribute("aria-label", "differs");
        head.append(mark);
      }
      row.append(head, el("td", "", left), el("td", "", right));
      body.append(row);
    }
    return table;
  };
  const modes = () => {
    const group = el("div", "modes");
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", "How to compare");
    for (const [mode, [title, key]] of Object.entries(MODES)) {
      const made = button(title, key, () => (mode === "blink" && now.mode === "blink" ? flip() : choose(mode)));
      made.dataset.mode = mode;
      made.setAttribute("aria-pressed", String(now.mode === mode));
      group.append(made);
    }
    return group;
  };
  const strip = () => {
    const list = el("div", "strip");
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", "The other images of the group, the most different first");
    list.tabIndex = 0;
    list.setAttribute("aria-activedescendant", `other-${now.place}`);
    others.forEach((one, place) => {
      const option = el("div", one.out ? "out" : "");
      option.id = `other-${place}`;
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", String(place === now.place));
      const number = one.number > 1 ? `, stands for ${one.number.toLocaleString("en")} images` : "";
      option.setAttribute("aria-label", `${one.name}, ${one.label}, ${one.state}, ${one.words}${number}`);
      option.title = `${one.name}, ${one.label}, ${one.state}: ${one.words}`;
      option.style.setProperty("--edge", one.colour);
      option.append(picture(one.src, ""));
      if (one.number > 1) option.append(el("span", "number", `× ${one.number.toLocaleString("en")}`));
      option.onclick = () => move(place - now.place);
      list.append(option);
    });
    return list;
  };
  const acts = (one) => {
    const row = el("div", "acts");
    const many = one.number > 1 ? ` all ${one.number.toLocaleString("en")}` : "";
    row.append(
      button(`Exclude${many}`, "x", () => act("exclude")),
      button(`Keep${many}`, "k", () => act("keep")),
      button("Make it the one to keep", "m", () => act("keeper"))
    );
    if (data.undo) row.append(button("Undo", "z", () => act("undo"), "quiet"));
    const classes = el("div", "classes");
    classes.setAttribute("role", "group");
    classes.setAttribute("aria-label", `Label ${one.name} as`);
    data.classes.forEach((each, label) => {
      const made = button(each.title, each.key, () => act("relabel", { label }), "class");
      const dot = el("i");
      dot.style.background = each.colour;
      made.prepend(dot);
      classes.append(made);
    });
    return [row, classes];
  };

  const draw = () => {
    const focus = root.getRootNode().activeElement;
    const held = focus && root.contains(focus) ? focus.dataset.hold : null;
    const one = others[now.place];
    const head = el("div", "head");
    const number = data.before + now.place + 1;
    head.append(modes(), el("p", "where", others.length ? `${number.toLocaleString("en")} of ${data.total.toLocaleString("en")}` : ""));
    const words = el("div", "words");
    words.setAttribute("role", "status");
    if (one) words.append(el("b", "", one.words.charAt(0).toUpperCase() + one.words.slice(1)), el("span", "", one.figures));
    const parts = [head];
    if (one) {
      const body = el("div", "body");
      const about = el("div", "about");
      about.append(words, facts(one));
      body.append(panels(one), about);
      parts.push(body, ...acts(one));
    }
    if (others.length > 1 || data.pages > 1) parts.push(strip());
    const foot = el("div", "foot");
    if (data.pages > 1) {
      const pager = el("div", "pager");
      const back = button("Before", "", () => turn(-1));
      const on = button("More", "", () => turn(1));
      back.disabled = data.page === 1;
      on.disabled = data.page === data.pages;
      pager.append(back, el("span", "", `${data.page} of ${data.pages}`), on);
      foot.append(pager);
    }
    if (data.folded) foot.append(el("p", "folded", data.folded));
    const end = el("div", "end");
    const said = el("p", "said", data.said);
    said.setAttribute("role", "status");
    end.append(button(data.whole, "", () => act("whole"), "primary"), said);
    root.replaceChildren(...parts, foot, end);
    // A new drawing keeps the keyboard where it was.
    root.querySelectorAll("button, [tabindex]").forEach((each, place) => (each.dataset.hold = hold(each, place)));
    if (held) [...root.querySelectorAll("[data-hold]")].find((each) => each.dataset.hold === held)?.focus();
  };
  const hold = (each) => each.getAttribute("role") ?? each.dataset.mode ?? each.firstChild?.textContent + each.className;

  const pressed = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const target = event.composedPath()[0];
    if (target.closest?.('input, textarea, select, [role="radio"], [role="menu"], [role="combobox"]')) return;
    const label = data.classes.findIndex((one) => one.key && one.key === event.key);
    const keys = {
      ArrowRight: () => move(1),
      ArrowDown: () => move(1),
      ArrowLeft: () => move(-1),
      ArrowUp: () => move(-1),
      x: () => act("exclude"),
      k: () => act("keep"),
      m: () => act("keeper"),
      z: () => data.undo && act("undo"),
      d: () => choose("difference"),
      p: () => choose("plain"),
      b: () => (now.mode === "blink" ? flip() : choose("blink")),
    };
    const does = label >= 0 ? () => act("relabel", { label }) : keys[event.key];
    if (!does) return;
    event.preventDefault();
    event.stopPropagation();
    if (!event.repeat || event.key.startsWith("Arrow")) does();
  };
  // Keys reach the group wherever the keyboard is in its dialog.
  const inside = root.getRootNode().host ?? root;
  const listening = inside.closest('[role="dialog"]') ?? root;
  root.listening?.removeEventListener("keydown", root.pressed);
  Object.assign(root, { listening, pressed });
  listening.addEventListener("keydown", pressed);
  draw();
  return () => listening.removeEventListener("keydown", root.pressed);
}
