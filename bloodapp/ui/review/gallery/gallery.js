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
  let chosen = null; // what is selected
  let wished = 0; // how often something was asked for: the newest answer counts
  let turned = null; // where the focus goes once another page is there

  parts.grid.addEventListener("keydown", onKey);
  parts.grid.addEventListener("click", onClick);
  parts.grid.addEventListener("dblclick", (event) => tileOf(event) && ask(items[at].i));
  parts.grid.addEventListener("focusin", (event) => {
    const tile = tileOf(event);
    if (tile) settle(tiles.indexOf(tile));
  });
  return own;

  // ---- what the server says

  function update(now) {
    const first = data === null || data.place !== now.place;
    data = now;
    // With every answer: Streamlit may end a component and draw it anew at once. What listens already is not added.
    document.addEventListener("keydown", onPageKey);
    if (first) {
      acts = actsOf(`bloodapp.acts.${data.place}`, (list) => own.tell("acts", list));
      chosen = selectionOf(`bloodapp.selected.${data.place}`);
    }
    chosen.shows(data.token);
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
  }

  // ---- selection

  function select(which) {
    if (which === "none") chosen.clear();
    else if (which === "page") for (const item of items) chosen.toggle(item.i, true);
    else chosen.all(data);
    afterSelection();
  }

  function afterSelection() {
    chosen.keep();
    items.forEach(drawTile);
    drawBar();
    say(chosen.count() ? `${counted(chosen.count(), "image")} selected` : "Nothing selected");
  }

  // ---- deciding

  function subject() {
    if (chosen.count()) return chosen.subject();
    return items.length ? { on: [items[at].i] } : null;
  }

  function act(does, more = {}, index = null) {
    const about = index === null ? subject() : { on: [index] };
    if (!about || (!about.on.length && !about.also)) return;
    const many = chosen.count();
    const whole = acts.add({ does, ...about, ...more });
    overlay(whole);
    const number = index === null && many ? many : 1;
    if (index === null && many) {
      chosen.clear();
      chosen.keep();
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
    acts.add({ does: "undo", act: last });
    say("Taken back");
    drawBar();
    drawFoot();
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
    const about = chosen.count() ? items.filter((item) => chosen.has(item.i)) : [items[at]];
    const able = about.filter((item) => item && suggestion(item) >= 0);
    if (!able.length) return say("There is no suggestion about it");
    if (!chosen.count()) return act("relabel", { label: suggestion(able[0]), why: "as suggested" });
    const byLabel = new Map();
    for (const item of able) byLabel.set(suggestion(item), [...(byLabel.get(suggestion(item)) ?? []), item.i]);
    for (const [label, on] of byLabel) {
      overlay(acts.add({ does: "relabel", on, label, why: "as suggested" }));
      for (const index of on) chosen.toggle(index, false);
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
      chosen.toggle(items[at].i);
      from = at;
      afterSelection();
    } else if (event.key === " " && items[at]) ask(items[at].i);
    else if (event.key === "Escape" && chosen.count()) select("none");
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
    if (event.shiftKey) chosen.stretch(items, from, place);
    else {
      chosen.toggle(items[place].i);
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
      chosen.stretch(items, from, to);
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
    tiles = items.map((item, place) => tileFor(item, place, data));
    parts.grid.replaceChildren(...tiles);
  }

  function drawTile(item, place) {
    dress(tiles[place], item, chosen.has(item.i), data.classes);
  }

  function button(words, key, onclick, more = {}) {
    return make("button", { type: "button", onclick, ...more }, words, key && make("kbd", { "aria-hidden": "true" }, key));
  }

  function drawBar() {
    const many = chosen.count();
    const here = items.filter((item) => chosen.has(item.i)).length;
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
