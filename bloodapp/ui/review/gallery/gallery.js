// The gallery: a page of small pictures that are looked at, selected and decided about, by pointer or keys alone.
// What is decided shows at once and is sent; what the server says is drawn over it, with what still waits on top.
export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".gallery");
  const own = (root.own ??= begin(root));
  own.tell = setStateValue;
  own.update(data);
  return own.end;
}

function begin(root) {
  const parts = {};
  for (const name of ["bar", "grid", "foot", "status"]) parts[name] = root.querySelector(`.${name}`);
  const dialogs = dialogsOf(root, { act, move, key: inDialog, look: (index) => ask(index), undoBatch });
  const own = { update, end, tell: null };
  let data = null;
  let acts = null;
  let items = [];
  let tiles = [];
  let at = 0; // the place of the card that has the focus
  let from = 0; // where a stretch of selected ones began
  let shown = ""; // which page is drawn
  let selected = new Set();
  let all = null; // everything that a filter shows, but for some
  let wished = 0; // how often something was asked for: the newest answer counts
  let turned = null; // where the focus goes once another page is there

  parts.grid.addEventListener("keydown", onKey);
  parts.grid.addEventListener("click", onClick);
  parts.grid.addEventListener("dblclick", (event) => tileOf(event) && ask(items[at].i));
  parts.grid.addEventListener("focusin", (event) => {
    const tile = tileOf(event);
    if (tile) settle(tiles.indexOf(tile));
  });
  document.addEventListener("keydown", onPageKey);
  return own;

  // ---- what the server says

  function update(now) {
    const first = data === null || data.place !== now.place;
    data = now;
    if (first) {
      acts = actsOf(`bloodapp.acts.${data.place}`, (list) => own.tell("acts", list));
      remember();
    }
    acts.answered(data.done, data.failed);
    const refused = Object.values(data.failed);
    items = data.items.map((item) => ({ ...item }));
    for (const act of acts.pending) overlay(act);
    if (data.page !== shown) {
      const again = shown !== "" && !first;
      shown = data.page;
      drawGrid();
      at = turned === "last" ? items.length - 1 : Math.max(items.findIndex((item) => item.i === turned), 0);
      from = at;
      if (again && turned !== null) focus(at);
      turned = null;
      if (data.next) new Image().src = data.next;
    }
    items.forEach(drawTile);
    settle(Math.min(at, Math.max(items.length - 1, 0)));
    drawBar();
    drawFoot();
    dialogs.update(data, items);
    if (refused.length) say(refused[refused.length - 1], true);
    if (first) acts.again();
  }

  function end() {
    document.removeEventListener("keydown", onPageKey);
    dialogs.close();
  }

  // ---- selection: it belongs to the images and outlives pages, filters and reloads

  function remember() {
    try {
      const kept = JSON.parse(sessionStorage.getItem(`bloodapp.selected.${data.place}`)) ?? {};
      selected = new Set(kept.selected ?? []);
      all = kept.all ?? null;
    } catch {
      selected = new Set();
    }
  }

  function keepSelection() {
    try {
      sessionStorage.setItem(`bloodapp.selected.${data.place}`, JSON.stringify({ selected: [...selected], all }));
    } catch {
      // It only does not outlive a reload.
    }
  }

  function isSelected(index) {
    if (selected.has(index)) return true;
    return all !== null && all.token === data.token && !all.minus.includes(index);
  }

  function howMany() {
    return selected.size + (all ? all.count - all.minus.length : 0);
  }

  function toggle(index, on = !isSelected(index)) {
    if (on) {
      selected.add(index);
      if (all && all.token === data.token) {
        selected.delete(index);
        all.minus = all.minus.filter((one) => one !== index);
      }
    } else {
      selected.delete(index);
      if (all && all.token === data.token && !all.minus.includes(index)) all.minus.push(index);
    }
  }

  function stretch(to) {
    for (let k = Math.min(from, to); k <= Math.max(from, to); k++) toggle(items[k].i, true);
  }

  function select(which) {
    if (which === "none") {
      selected.clear();
      all = null;
    } else if (which === "page") for (const item of items) toggle(item.i, true);
    else {
      selected.clear();
      all = { filter: data.filter, asof: data.asof, token: data.token, count: data.total, minus: [] };
    }
    afterSelection();
  }

  function afterSelection() {
    keepSelection();
    items.forEach(drawTile);
    drawBar();
    say(howMany() ? `${counted(howMany(), "image")} selected` : "Nothing selected");
  }

  // ---- deciding

  function subject() {
    if (howMany()) {
      const on = [...selected];
      return all ? { on, also: { filter: all.filter, asof: all.asof, minus: all.minus } } : { on };
    }
    return items.length ? { on: [items[at].i] } : null;
  }

  function act(does, more = {}, index = null) {
    const about = index === null ? subject() : { on: [index] };
    if (!about || (!about.on.length && !about.also)) return;
    const many = howMany();
    const whole = acts.add({ does, ...about, ...more });
    overlay(whole);
    const number = index === null && many ? many : 1;
    if (index === null && many) {
      selected.clear();
      all = null;
      keepSelection();
    } else if (index === null) step(1, false);
    items.forEach(drawTile);
    drawBar();
    drawFoot();
    dialogs.update(data, items, items[at]?.i);
    say(`${words(does, more)} ${number === 1 ? `image ${(about.on[0] ?? 0).toLocaleString("en")}` : counted(number, "image")}`);
  }

  function words(does, more) {
    if (does === "relabel") return `${data.classes[more.label].title}:`;
    return { exclude: "Excluded", keep: "Kept", flag: "Flagged" }[does];
  }

  function undo() {
    const last = acts.last();
    if (!last) return say("Nothing to take back: earlier decisions are under H");
    const was = acts.pending.find((one) => one.id === last) ?? null;
    acts.add({ does: "undo", act: last });
    say("Taken back");
    if (was) drawFoot();
  }

  // The last decision about the card that has the focus, whoever made it and whenever.
  function undoHere() {
    const item = items[at];
    if (!item) return;
    if (!item.decided && !item.flagged) return say("There is no decision about this image");
    acts.add({ does: "undo", image: item.i });
    say(`Decision about image ${item.i.toLocaleString("en")} taken back`);
    drawFoot();
  }

  function undoBatch(batch) {
    acts.add({ does: "undo", batch });
    say("Taken back");
    drawFoot();
  }

  function suggestion(item) {
    if (item.suggested >= 0) return item.suggested;
    return item.predicted >= 0 && item.predicted !== item.label ? item.predicted : -1;
  }

  function suggested() {
    const chosen = howMany() ? items.filter((item) => isSelected(item.i)) : [items[at]];
    const able = chosen.filter((item) => item && suggestion(item) >= 0);
    if (!able.length) return say("There is no suggestion about it");
    if (!howMany()) return act("relabel", { label: suggestion(able[0]), why: "as suggested" });
    const byLabel = new Map();
    for (const item of able) byLabel.set(suggestion(item), [...(byLabel.get(suggestion(item)) ?? []), item.i]);
    for (const [label, on] of byLabel) {
      overlay(acts.add({ does: "relabel", on, label, why: "as suggested" }));
      for (const index of on) toggle(index, false);
    }
    afterSelection();
    say(`Relabelled ${counted(able.length, "image")} as suggested`);
  }

  // What an act makes of the cards on show, before the server has answered.
  function overlay(act) {
    const on = new Set(act.on ?? []);
    const also = act.also && act.also.asof === data.asof && JSON.stringify(act.also.filter) === JSON.stringify(data.filter);
    for (const item of items) {
      if (!on.has(item.i) && !(also && !act.also.minus.includes(item.i))) continue;
      item.waits = true;
      if (act.does === "flag") item.flagged = true;
      else {
        item.flagged = false;
        item.decided = true;
        if (act.does === "relabel") item.label = act.label;
        else item.included = act.does === "keep";
      }
    }
  }

  // ---- keys

  function onKey(event) {
    if (event.ctrlKey || event.metaKey) {
      if (event.key.toLowerCase() === "a") {
        select("page");
        taken(event);
      }
      return;
    }
    if (event.altKey) return;
    const columns = Math.max(tiles.filter((tile) => tile.offsetTop === tiles[0]?.offsetTop).length, 1);
    const moves = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
    if (event.key in moves) step(moves[event.key], event.shiftKey);
    else if (event.key === "Home") step(-at, event.shiftKey);
    else if (event.key === "End") step(items.length - 1 - at, event.shiftKey);
    else if (event.key === "PageDown") turn(1);
    else if (event.key === "PageUp") turn(-1);
    else if (event.key === "Enter" && items[at]) {
      toggle(items[at].i);
      from = at;
      afterSelection();
    } else if (event.key === " " && items[at]) ask(items[at].i);
    else if (event.key === "Escape" && howMany()) select("none");
    else if (!letter(event)) return;
    taken(event);
  }

  // Keys that mean the same on the grid and over an enlarged picture.
  function letter(event) {
    const label = data.classes.findIndex((one) => one.shortcut === event.key);
    const key = event.key.toLowerCase();
    if (label >= 0) act("relabel", { label });
    else if (key === "x") act("exclude");
    else if (key === "k") act("keep");
    else if (key === "f" && subject()) dialogs.reasons(data.reasons, (why) => act("flag", { why }));
    else if (key === "s") suggested();
    else if (key === "z") undo();
    else if (key === "u") undoHere();
    else if (key === "h") dialogs.history();
    else if (event.key === "?") dialogs.help(data.classes);
    else return false;
    return true;
  }

  function taken(event) {
    event.preventDefault();
    event.stopPropagation();
  }

  // Keys work wherever nothing else has the focus; where somebody types, they type.
  function onPageKey(event) {
    const free = document.activeElement === document.body || document.activeElement === null;
    if (!free || dialogs.open() || document.querySelector('[role="dialog"]') || !root.isConnected) return;
    const before = event.defaultPrevented;
    onKey(event);
    if (!before && event.defaultPrevented && !dialogs.open()) focus(at);
  }

  function inDialog(event) {
    if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      step(event.key === "ArrowRight" ? 1 : -1, false, false);
      ask(items[at]?.i);
      taken(event);
    } else if (!event.ctrlKey && !event.metaKey && !event.altKey && letter(event)) {
      if (!dialogs.over()) ask(items[at]?.i);
      taken(event);
    }
  }

  function move(by) {
    step(by, false, false);
    ask(items[at]?.i);
  }

  function onClick(event) {
    const tile = tileOf(event);
    if (!tile) return;
    const place = tiles.indexOf(tile);
    if (event.shiftKey) stretch(place);
    else {
      toggle(items[place].i);
      from = place;
    }
    focus(place);
    afterSelection();
  }

  function tileOf(event) {
    return event.target.closest?.('[role="option"]') ?? null;
  }

  function step(by, stretched, focused = true) {
    const to = at + by;
    if (to >= items.length && Math.abs(by) === 1) return stretched ? undefined : turn(1);
    if (to < 0 && Math.abs(by) === 1) return stretched ? undefined : turn(-1, "last");
    if (to < 0 || to >= items.length) return;
    if (focused) focus(to);
    else settle(to);
    if (stretched) {
      stretch(to);
      afterSelection();
    } else from = to;
  }

  function turn(by, place = "first") {
    const to = data.number + by;
    if (to < 1 || to > data.pages) return say(by > 0 ? "This is the last page" : "This is the first page");
    turned = place;
    root.setAttribute("aria-busy", "true");
    own.tell("page", { to, n: ++wished });
  }

  function focus(place) {
    settle(place);
    tiles[place]?.focus({ preventScroll: true });
    tiles[place]?.scrollIntoView({ block: "nearest" });
  }

  function settle(place) {
    at = place;
    tiles.forEach((tile, k) => (tile.tabIndex = k === place ? 0 : -1));
  }

  function ask(index) {
    if (index === undefined) return;
    dialogs.look(index, items.find((item) => item.i === index) ?? null, data);
    own.tell("look", { index, n: ++wished });
  }

  // ---- drawing

  function drawGrid() {
    root.removeAttribute("aria-busy");
    tiles = items.map((item, place) => {
      const picture = make("div", { class: "picture" });
      picture.style.backgroundImage = `url("${data.sprite}")`;
      picture.style.backgroundSize = `${100 * data.columns}% ${100 * data.rows}%`;
      const x = data.columns > 1 ? (100 * (place % data.columns)) / (data.columns - 1) : 0;
      const y = data.rows > 1 ? (100 * Math.floor(place / data.columns)) / (data.rows - 1) : 0;
      picture.style.backgroundPosition = `${x}% ${y}%`;
      return make(
        "div",
        { role: "option", tabindex: "-1", "data-index": item.i, "aria-selected": "false" },
        picture,
        make("div", { class: "label" }, make("i"), make("span")),
        make("div", { class: "note" }),
        make("div", { class: "said" }),
        make("div", { class: "tick", "aria-hidden": "true" }, "✓"),
      );
    });
    parts.grid.replaceChildren(...tiles);
  }

  function drawTile(item, place) {
    const tile = tiles[place];
    const title = item.label >= 0 ? data.classes[item.label].title : "no label";
    const note = stateOf(item);
    const said = hints(item);
    const chosen = isSelected(item.i);
    const name = [`Image ${item.i.toLocaleString("en")}`, title, note.words, ...said, item.found].filter(Boolean).join(", ");
    const mark = JSON.stringify([item.label, note, said, chosen, item.found, item.waits ?? false]);
    if (tile.drawn === mark) return;
    tile.drawn = mark;
    tile.setAttribute("aria-label", name);
    tile.setAttribute("aria-selected", String(chosen));
    tile.title = item.found ? `${item.name}: ${item.found}` : item.name;
    tile.className = [note.kind, item.waits ? "waits" : ""].join(" ").trim();
    tile.style.setProperty("--edge", item.label >= 0 ? data.classes[item.label].colour : "var(--quiet)");
    tile.querySelector(".label span").textContent = title;
    tile.querySelector(".note").textContent = note.words ? `${note.sign} ${note.words}` : "";
    tile.querySelector(".said").textContent = said.join(" · ");
  }

  function stateOf(item) {
    if (!item.included) return { kind: "out", sign: "✕", words: "excluded" };
    if (item.flagged) return { kind: "flagged", sign: "⚑", words: "flagged" };
    if (item.label !== item.given)
      return {
        kind: "relabelled",
        sign: "↷",
        words: item.given >= 0 ? `was ${data.classes[item.given].title}` : "labelled here",
      };
    if (item.decided) return { kind: "kept", sign: "✓", words: "kept" };
    return { kind: "", sign: "", words: "" };
  }

  function hints(item) {
    const parts = [];
    if (item.suggested >= 0 && item.suggested !== item.label) parts.push(`looks like ${data.classes[item.suggested].title}`);
    if (item.predicted >= 0) {
      const same = item.predicted === item.label;
      parts.push(same ? `model agrees ${item.sure} %` : `model: ${data.classes[item.predicted].title} ${item.sure} %`);
    }
    return parts;
  }

  function button(words, key, onclick, more = {}) {
    return make("button", { type: "button", onclick, ...more }, words, key && make("kbd", { "aria-hidden": "true" }, key));
  }

  function drawBar() {
    const many = howMany();
    const here = items.filter((item) => isSelected(item.i)).length;
    const elsewhere = many - here;
    const focused = root.getRootNode().activeElement?.dataset?.does;
    const does = (name, words, key, run, more = {}) => button(words, key, run, { "data-does": name, ...more });
    const none = !items.length && !many;
    parts.bar.replaceChildren(
      make(
        "p",
        { class: "about" },
        make("b", {}, many ? `${counted(many, "image")} selected` : "Nothing selected"),
        many
          ? elsewhere > 0
            ? ` (${elsewhere.toLocaleString("en")} not on this page)`
            : ""
          : ": keys act on the framed image",
      ),
      make(
        "div",
        { class: "acts", role: "group", "aria-label": "Select" },
        does("page", "Select the page", "", () => select("page"), { disabled: !items.length }),
        does("filter", `Select all ${data.total.toLocaleString("en")}`, "", () => select("filter"), { disabled: !data.total }),
        does("none", "Clear", "Esc", () => select("none"), { disabled: !many }),
      ),
      make(
        "div",
        { class: "acts aside", role: "group", "aria-label": "Look back" },
        does("undo", "Undo", "Z", undo, { disabled: !acts.last() }),
        does("history", "Earlier", "H", () => dialogs.history()),
        does("help", "Keys", "?", () => dialogs.help(data.classes)),
      ),
      make("hr"),
      make(
        "div",
        { class: "acts", role: "group", "aria-label": "Decide" },
        does("exclude", "Exclude", "X", () => act("exclude"), { disabled: none }),
        does("keep", "Keep", "K", () => act("keep"), { disabled: none }),
        does("flag", "Flag", "F", () => dialogs.reasons(data.reasons, (why) => act("flag", { why })), { disabled: none }),
        does("suggested", "As suggested", "S", suggested, { disabled: none }),
      ),
      make(
        "div",
        { class: "acts labels", role: "group", "aria-label": "Relabel" },
        ...data.classes.map((one, label) => {
          const made = does(`label-${label}`, one.title, one.shortcut, () => act("relabel", { label }), { disabled: none });
          made.prepend(make("i"));
          made.style.setProperty("--edge", one.colour);
          return made;
        }),
      ),
    );
    if (focused) parts.bar.querySelector(`[data-does="${focused}"]`)?.focus();
  }

  function drawFoot() {
    const waiting = acts.pending.length;
    const first = data.total ? (data.number - 1) * data.size + 1 : 0;
    const last = first ? first + items.length - 1 : 0;
    const turning = (words, by, off) =>
      button(words, "", () => turn(by), { "aria-label": by < 0 ? "Page before" : "Next page", disabled: off });
    parts.foot.replaceChildren(
      make("div", { class: "acts" }, turning("‹", -1, data.number <= 1), turning("›", 1, data.number >= data.pages)),
      make(
        "span",
        {},
        data.total
          ? `${first.toLocaleString("en")} to ${last.toLocaleString("en")} of ${counted(data.total, "image")}`
          : "No images",
      ),
      make("span", { class: waiting ? "saving" : "saved" }, waiting ? `Saving ${counted(waiting, "decision")} …` : "✓ All saved"),
    );
  }

  function say(text, wrong = false) {
    parts.status.textContent = text;
    parts.status.classList.toggle("wrong", wrong);
  }
}
