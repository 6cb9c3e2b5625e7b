// One image at a time: to give it a label, to read it blindly, or to settle what readers disagree about. What is decided
// shows in the same frame and is sent; what the server says is drawn over it, with what still waits on top.
const STRIP = 10; // images that are shown to come
const KEPT = 500; // acts of which is remembered which image they were about

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".labeller");
  const own = (root.own ??= begin(root));
  own.tell = setStateValue;
  own.update(data);
  return own.end;
}

function begin(root) {
  const own = { update, end, tell: null };
  const stage = stageOf(root, { answer, act, flag, propose, pass, back, undo, ask, show, help });
  const dialogs = dialogsOf(root, { act: () => {}, move: look, key: inDialog, look: ask, undoBatch: () => {} });
  let data = null;
  let acts = null;
  let items = []; // those of the window, in their order
  let at = null; // the image on show; null while the server looks for it, -1 where none is left
  let waiting = 0; // the number of the wish whose answer says which image comes
  let wished = 0;
  let asked = -1; // up to which place the window was asked to move on
  let passed = new Set();
  let about = []; // [id of an act, its image], the last at the end

  root.addEventListener("keydown", (event) => !dialogs.open() && onKey(event, true));
  return own;

  // ---- what the server says

  function update(now) {
    // With every answer: Streamlit may end a component and draw the same one anew at once.
    document.addEventListener("keydown", onPageKey, true); // before React Aria, which keeps Enter on a choice to itself
    const first = data === null || data.place !== now.place;
    const anew = first || data.token !== now.token;
    data = now;
    if (first) {
      acts = actsOf(`bloodapp.acts.${data.place}`, (list) => own.tell("acts", list));
      about = remembered();
    }
    if (anew) {
      passed = new Set();
      asked = -1;
    }
    acts.answered(data.done, data.failed);
    const refused = Object.values(data.failed);
    items = data.items.map((item) => ({ ...item }));
    for (const act of acts.pending) overlay(act);
    if (anew || (waiting && data.goto.n === waiting)) settleAt(data.goto.i);
    for (const block of data.blocks) if (block.src) new Image().src = block.src;
    draw();
    if (refused.length) stage.say(refused[refused.length - 1], true);
    if (first) acts.again();
  }

  function settleAt(index) {
    waiting = 0;
    at = index;
    const item = current();
    // What was decided since and is on its way: the server did not know.
    if (item && item.done && !data.goto.exact) forward(item.pos);
    else if (item && passed.has(item.i)) passed = new Set();
  }

  function end() {
    document.removeEventListener("keydown", onPageKey, true);
  }

  function wish(what) {
    own.tell("at", { n: (wished = Math.max(Date.now(), wished + 1)), token: data.token, ...what });
    return wished;
  }

  // ---- which image is on show

  function current() {
    return items.find((item) => item.i === at) ?? null;
  }

  function coming(pos) {
    return items.filter((item) => item.pos > pos && !item.done && !item.flagged && !passed.has(item.i));
  }

  function forward(pos) {
    const next = coming(pos)[0];
    if (next) return show(next.i);
    at = null;
    waiting = wish({ after: pos, passed: [...passed] });
    draw();
  }

  function show(index) {
    at = index;
    waiting = 0;
    const item = current();
    const { start, end, step, total } = data.window;
    if (item && item.pos >= start + step && end < total && asked < item.pos) {
      asked = start + 2 * step;
      wish({ near: item.pos });
    }
    draw();
  }

  function pass() {
    const item = current();
    if (!item) return;
    if (!item.done) passed.add(item.i);
    forward(item.pos);
    told(item.done ? "" : "Passed over");
  }

  function back() {
    const item = current();
    const before = items.filter((one) => one.pos < (item?.pos ?? Infinity)).pop();
    if (before) {
      show(before.i);
      told("");
    } else if (item && item.pos > 0) waiting = wish({ to: Math.ceil(item.pos) - 1 });
    else stage.say("This is the first image");
  }

  // ---- deciding

  function answer(label) {
    const item = current();
    if (!item) return;
    const does = { queue: "relabel", blind: "read", settle: "settle" }[data.mode];
    act(does, { label });
  }

  function propose() {
    const item = current();
    if (!item) return;
    if (data.mode === "settle") return item.label >= 0 ? answer(item.label) : stage.say("It has no label to keep: choose a class");
    if (item.proposal < 0) return stage.say(data.run ? `${data.run} proposes nothing for it` : "No run has proposed labels yet");
    act("relabel", { label: item.proposal, why: `as ${data.run} proposes` });
  }

  function flag() {
    if (current()) dialogs.reasons(data.reasons, (why) => act("flag", { why }));
  }

  function act(does, more = {}) {
    const item = current();
    if (!item) return;
    const whole = acts.add({ does, on: [item.i], ...data.also, ...more });
    remember(whole.id, item.i);
    overlay(whole);
    const words = does === "exclude" ? "Excluded" : does === "flag" ? "Put aside" : nameOf(more.label);
    forward(item.pos);
    told(words);
    root.contains(root.getRootNode().activeElement) && stage.focus();
  }

  function undo() {
    const last = acts.last();
    if (!last) return stage.say("Nothing to take back here");
    const whole = acts.add({ does: "undo", act: last, ...data.also });
    overlay(whole);
    const index = (about.find(([id]) => id === last) ?? [])[1];
    if (index === undefined) return draw(), stage.say("Taken back");
    passed.delete(index);
    if (items.some((item) => item.i === index)) show(index);
    else {
      at = null;
      waiting = wish({ image: index });
      draw();
    }
    told("Taken back");
  }

  function overlay(act) {
    const undoes = act.does === "undo";
    const on = undoes ? [(about.find(([id]) => id === act.act) ?? [])[1]] : (act.on ?? []);
    for (const item of items) {
      if (!on.includes(item.i)) continue;
      if (undoes) Object.assign(item, { done: false, flagged: false, included: true, label: data.mode === "settle" ? item.label : data.blank });
      else if (act.does === "flag") item.flagged = true;
      else if (act.does === "exclude") Object.assign(item, { included: false, done: true, flagged: false });
      else Object.assign(item, { label: act.label, done: true, flagged: false });
    }
  }

  function remembered() {
    try {
      return JSON.parse(sessionStorage.getItem(`bloodapp.about.${data.place}`)) ?? [];
    } catch {
      return [];
    }
  }

  function remember(id, index) {
    about = [...about, [id, index]].slice(-KEPT);
    try {
      sessionStorage.setItem(`bloodapp.about.${data.place}`, JSON.stringify(about));
    } catch {
      // After a reload, what is taken back does not come into sight by itself.
    }
  }

  // ---- the images most like it

  function ask(index) {
    const wanted = index ?? at;
    if (data.mode === "blind" || wanted === null || wanted < 0) return;
    dialogs.look(wanted, items.find((item) => item.i === wanted) ?? null, data);
    own.tell("look", { index: wanted, n: (wished = Math.max(Date.now(), wished + 1)) });
  }

  function look(by) {
    if (by > 0) pass();
    else back();
    ask();
  }

  // ---- keys

  function onKey(event, inside) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const target = event.composedPath()[0];
    if (writes(target)) return;
    // Enter, Space and arrows mean something to whatever has the focus; letters and digits do not.
    const own = inside ? target.classList.contains("big") || target === root : free(event.key);
    const moves = { ArrowLeft: back, ArrowRight: pass, Enter: propose, " ": () => ask() };
    if (event.key in moves) {
      if (!own || (event.key === "Enter" && data.mode === "blind")) return;
      moves[event.key]();
    } else if (!letter(event)) return;
    event.preventDefault();
    event.stopPropagation();
  }

  function letter(event) {
    const key = event.key.toLowerCase();
    const label = data.classes.findIndex((one) => one.shortcut && one.shortcut === event.key);
    const queue = data.mode === "queue";
    if (label >= 0) answer(label);
    else if (data.mode === "blind" && key === "0") answer(-1);
    else if (queue && key === "s") propose();
    else if (queue && key === "x") act("exclude");
    else if (queue && key === "f") flag();
    else if (key === "n") pass();
    else if (key === "z") undo();
    else if (event.key === "?") help();
    else return false;
    return true;
  }

  function onPageKey(event) {
    if (!root.isConnected || event.composedPath().includes(root) || dialogs.open() || document.querySelector('[role="dialog"]')) return;
    onKey(event, false);
  }

  function free(key) {
    const focused = document.activeElement;
    // Who has just chosen this view has the focus on a choice that is taken already: there Enter means nothing.
    const taken = focused?.matches('input[type="radio"]:checked, [role="radio"][aria-checked="true"]');
    return focused === document.body || focused === null || (taken && key === "Enter");
  }

  function writes(element) {
    return Boolean(element?.closest?.('input:not([type="radio"]):not([type="checkbox"]), textarea, select, [contenteditable="true"], [role="combobox"]'));
  }

  function inDialog(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "ArrowLeft" || event.key === "ArrowRight") look(event.key === "ArrowRight" ? 1 : -1);
    else if (event.key === " ") dialogs.close();
    else if (!letter(event)) return;
    else if (!dialogs.over()) dialogs.close();
    event.preventDefault();
    event.stopPropagation();
  }

  function help() {
    stage.help(data);
  }

  // ---- drawing

  function draw() {
    const item = current();
    const pending = acts.pending.length;
    const opened = data.items.filter((one) => !one.done).map((one) => one.i);
    const since = items.filter((one) => one.done && opened.includes(one.i)).length;
    const left = Math.max(data.left - since, 0);
    stage.draw(data, item, item ? coming(item.pos).slice(0, STRIP) : [], { at, pending, left, last: acts.last() });
    dialogs.update(data, items);
  }

  function nameOf(label) {
    return label >= 0 ? data.classes[label].title : "Cannot tell";
  }

  // What was done, and what is to be seen now: for those who hear the page.
  function told(words) {
    const item = current();
    const next = !item ? (at === -1 ? "That was the last one" : "") : stage.named(data, item);
    stage.say([words, next].filter(Boolean).join(". "));
  }
}
