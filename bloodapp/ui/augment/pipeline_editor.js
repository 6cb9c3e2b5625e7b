// The steps of a pipeline as a list that is edited in place. Python owns the text: every edit is sent, one at a
// time, with the text that it was made on; what comes back is drawn, and the keyboard's focus stays where it was.
export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".editor");
  const own = (root.own ??= { open: null, unfolded: new Map(), adding: null, flight: null, waiting: null, shown: "" });
  own.send = setStateValue;
  if (own.flight && data.answered !== own.flight) return;
  own.flight = null;
  root.removeAttribute("aria-busy");
  own.data = data;
  const shown = JSON.stringify([data.version, data.answered]);
  if (shown !== own.shown) {
    own.shown = shown;
    if (!own.dragging) draw();
  }
  if (own.waiting) {
    const next = own.waiting;
    own.waiting = null;
    send(next);
  }

  function send(edit) {
    if (own.flight) {
      if (edit.act === "change") own.waiting = edit; // the newest place of a slider; others wait for the answer
      return false;
    }
    own.flight = `${Date.now()}-${Math.random()}`;
    const flight = own.flight;
    setTimeout(() => own.flight === flight && root.setAttribute("aria-busy", "true"), 500);
    setTimeout(() => own.flight === flight && (own.flight = null), 30000); // a server that never answers
    own.send("edit", { ...edit, id: own.flight, base: own.data.version });
    return true;
  }

  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (value === true) element.setAttribute(name, "");
      else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
    }
    element.append(...children.filter((child) => child !== null && child !== false));
    return element;
  }

  function key(path, what) {
    return `${path.join(".")}/${what}`;
  }

  function draw() {
    const focused = root.getRootNode().activeElement?.dataset?.focus;
    root.replaceChildren(list([], own.data.steps));
    focus(own.next ?? focused);
    own.next = null;
  }

  function focus(wanted) {
    if (!wanted) return;
    const all = [...root.querySelectorAll("[data-focus]")];
    const found = all.find((one) => one.dataset.focus === wanted && !one.disabled);
    const [path] = wanted.split("/");
    (found ?? all.find((one) => one.dataset.focus === `${path}/name`))?.focus();
  }

  function list(path, steps) {
    const rows = steps.map((step, place) => row(step, place, steps.length));
    const empty = steps.length ? null : make("p", { class: "nothing" }, "Unchanged");
    return make("div", { class: "list" }, empty, make("ol", {}, ...rows), adder([...path, steps.length]));
  }

  function row(step, place, count) {
    const isOpen = same(own.open, step.path);
    const group = step.branches.length > 0;
    const unfolded = group && (own.unfolded.get(step.path.join(".")) ?? step.unfolded);
    const item = make("li", { class: `step${group ? " group" : ""}${step.on ? "" : " off"}${isOpen ? " open" : ""}` });
    const toggle = () => {
      if (group) own.unfolded.set(step.path.join("."), !unfolded);
      own.open = (group ? unfolded : isOpen) ? null : step.path;
      own.next = key(step.path, "name");
      draw();
    };
    const name = make(
      "button",
      {
        type: "button",
        class: "name",
        title: step.help,
        "aria-expanded": String(group ? unfolded : isOpen),
        "data-focus": key(step.path, "name"),
        onclick: toggle,
        onkeydown: (event) => shortcut(event, step, place, count),
      },
      step.title,
    );
    const toSwitch = make("input", {
      type: "checkbox",
      role: "switch",
      checked: step.on,
      "aria-label": `${step.title} on`,
      title: step.on ? "Switch off: it stays in the text and does nothing" : "Switch on",
      "data-focus": key(step.path, "switch"),
      onchange: (event) => {
        own.next = key(step.path, "switch");
        if (!send({ act: "switch", path: step.path })) event.target.checked = step.on;
      },
    });
    const first = step.parameters[0];
    const inline = group
      ? make("span", { class: "brief" }, unfolded ? "" : step.brief)
      : isOpen || !first
        ? make("span", { class: "brief" }, "")
        : first.words.length
          ? make("span", { class: "brief" }, first.words[first.value])
          : slider(step, first, 0, true);
    item.append(make("div", { class: "head" }, grip(step, item, count), toSwitch, name, inline, tools(step, place, count)));
    if (isOpen || unfolded) item.append(panel(step, isOpen && !group));
    if (unfolded) item.append(branches(step));
    return item;
  }

  // Dragging is the mouse's way to what the arrows do: a step moves within its own list only.
  function grip(step, item, count) {
    const beside = () => own.dragged && same(own.dragged.slice(0, -1), step.path.slice(0, -1));
    const lower = (event) => {
      const box = item.getBoundingClientRect();
      return event.clientY > box.top + box.height / 2;
    };
    const clear = () => item.classList.remove("before", "after");
    item.addEventListener("dragover", (event) => {
      if (!beside()) return;
      event.preventDefault();
      event.stopPropagation();
      item.classList.toggle("after", lower(event));
      item.classList.toggle("before", !lower(event));
    });
    item.addEventListener("dragleave", clear);
    item.addEventListener("drop", (event) => {
      clear();
      if (!beside()) return;
      event.preventDefault();
      event.stopPropagation();
      const from = own.dragged.at(-1);
      const target = step.path.at(-1) + (lower(event) ? 1 : 0);
      const by = target - from - (target > from ? 1 : 0);
      if (by === 0 || !send({ act: "move", path: own.dragged, by })) return;
      own.open = null;
      own.unfolded.clear();
    });
    if (count < 2) return make("i", {});
    return make("i", {
      class: "grip",
      draggable: "true",
      title: "Drag to another place",
      "aria-hidden": "true",
      ondragstart: (event) => {
        own.dragged = step.path;
        event.dataTransfer.effectAllowed = "move";
        event.dataTransfer.setDragImage(item, 0, 12);
      },
      ondragend: () => (own.dragged = null),
    });
  }

  function tools(step, place, count) {
    const tool = (what, sign, words, disabled, edit) =>
      make(
        "button",
        {
          type: "button",
          class: "tool",
          disabled,
          title: words,
          "aria-label": `${words}: ${step.title}`,
          "data-focus": key(step.path, what),
          onclick: edit,
        },
        sign,
      );
    return make(
      "span",
      { class: "tools" },
      tool("up", "↑", "Move up", place === 0, () => shift(step, -1, "up")),
      tool("down", "↓", "Move down", place === count - 1, () => shift(step, 1, "down")),
      tool("remove", "×", "Remove", false, () => take(step, place, count)),
    );
  }

  function shift(step, by, what) {
    const to = [...step.path.slice(0, -1), step.path.at(-1) + by];
    if (!send({ act: "move", path: step.path, by })) return;
    if (same(own.open, step.path)) own.open = to;
    else own.open = null;
    const here = own.unfolded.get(step.path.join("."));
    const there = own.unfolded.get(to.join("."));
    here === undefined ? own.unfolded.delete(to.join(".")) : own.unfolded.set(to.join("."), here);
    there === undefined ? own.unfolded.delete(step.path.join(".")) : own.unfolded.set(step.path.join("."), there);
    own.next = key(to, what);
  }

  function take(step, place, count) {
    if (!send({ act: "remove", path: step.path })) return;
    own.open = null;
    own.unfolded.clear();
    const near = [...step.path.slice(0, -1), Math.min(place, count - 2)];
    own.next = count > 1 ? key(near, "remove") : key([...step.path.slice(0, -1), 0], "add");
  }

  // Undo and redo within the list; a field that is typed in keeps its own.
  root.onkeydown = (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.target.type === "search") return;
    const letter = event.key.toLowerCase();
    const act = letter === "y" || (letter === "z" && event.shiftKey) ? "redo" : letter === "z" ? "undo" : null;
    if (!act) return;
    event.preventDefault();
    send({ act });
  };

  function shortcut(event, step, place, count) {
    if (event.altKey && event.key === "ArrowUp" && place > 0) shift(step, -1, "name");
    else if (event.altKey && event.key === "ArrowDown" && place < count - 1) shift(step, 1, "name");
    else if (event.key === "Delete") take(step, place, count);
    else return;
    event.preventDefault();
  }

  function panel(step, full) {
    const fields = step.parameters.map((parameter, index) => field(step, parameter, index));
    return make("div", { class: "panel" }, full && make("p", { class: "help" }, step.help), ...fields);
  }

  function field(step, parameter, index) {
    const control = parameter.words.length ? choice(step, parameter, index) : slider(step, parameter, index, false);
    return make(
      "div",
      { class: "field" },
      make("span", { class: "label", title: parameter.help }, parameter.name),
      control,
      make("small", {}, parameter.help),
    );
  }

  function say(parameter, value) {
    const number = Number(Number(value).toPrecision(6));
    return parameter.percent ? `${Number((100 * number).toPrecision(4))} %` : `${number}${parameter.sign}`;
  }

  function slider(step, parameter, index, inline) {
    const output = make("output", { "aria-hidden": "true" }, say(parameter, parameter.value));
    const range = make("input", {
      type: "range",
      min: parameter.low,
      max: parameter.high,
      step: parameter.step,
      value: parameter.value,
      title: `${parameter.name}: ${parameter.help}`,
      "aria-label": `${step.title}: ${parameter.name}`,
      "aria-valuetext": say(parameter, parameter.value),
      "data-focus": key(step.path, `value-${index}`),
    });
    const fill = () =>
      range.style.setProperty("--at", `${(100 * (range.value - parameter.low)) / (parameter.high - parameter.low)}%`);
    let timer = null;
    const report = () => {
      own.dragging = false;
      send({ act: "change", path: step.inner, parameter: index, value: Number(range.value) });
    };
    range.addEventListener("pointerdown", () => (own.dragging = true));
    range.addEventListener("input", () => {
      output.textContent = say(parameter, range.value);
      range.setAttribute("aria-valuetext", output.textContent);
      fill();
    });
    range.addEventListener("keydown", () => (timer = 0));
    range.addEventListener("change", () => {
      if (timer === null) return report();
      clearTimeout(timer); // a held arrow key is one edit
      timer = setTimeout(report, 120);
    });
    range.addEventListener("pointerup", () => {
      own.dragging = false;
    });
    fill();
    return make("span", { class: inline ? "slide inline" : "slide" }, range, output);
  }

  function choice(step, parameter, index) {
    const report = (value) => {
      own.next = key(step.path, `value-${index}`);
      send({ act: "change", path: step.inner, parameter: index, value: Number(value) });
    };
    const label = `${step.title}: ${parameter.name}`;
    if (parameter.words.length > 4) {
      const options = parameter.words.map((word, value) =>
        make("option", { value, selected: value === parameter.value }, word.replaceAll("_", " ")),
      );
      return make(
        "select",
        { "aria-label": label, "data-focus": key(step.path, `value-${index}`), onchange: (e) => report(e.target.value) },
        ...options,
      );
    }
    const name = key(step.path, `words-${index}`);
    const radios = parameter.words.map((word, value) =>
      make(
        "label",
        {},
        make("input", {
          type: "radio",
          name,
          checked: value === parameter.value,
          "data-focus": value === parameter.value ? key(step.path, `value-${index}`) : null,
          onchange: () => report(value),
        }),
        make("span", {}, word),
      ),
    );
    return make("span", { class: "words", role: "radiogroup", "aria-label": label }, ...radios);
  }

  function branches(step) {
    const several = step.branches.length > 1 || step.kind === "oneof";
    const boxes = step.branches.map((branch, number) => {
      const drop =
        step.branches.length > 2 &&
        make(
          "button",
          {
            type: "button",
            class: "tool",
            title: "Remove this branch",
            "aria-label": `Remove branch ${number + 1} of ${step.title}`,
            "data-focus": key(branch.path, "drop"),
            onclick: () => {
              own.open = null;
              own.unfolded.clear();
              own.unfolded.set(step.path.join("."), true);
              own.next = key(step.path, "name");
              send({ act: "remove_branch", path: branch.path });
            },
          },
          "×",
        );
      const head = several && make("div", { class: "branch-head" }, `${number + 1}`, drop || "");
      return make("div", { class: "branch" }, head, list(branch.path, branch.steps));
    });
    const more =
      step.kind === "oneof" &&
      make(
        "button",
        {
          type: "button",
          class: "add",
          "data-focus": key(step.path, "branch"),
          onclick: () => {
            own.next = key([...step.inner, step.branches.length, 0], "add");
            send({ act: "add_branch", path: step.inner });
          },
        },
        "+ Add a branch",
      );
    return make("div", { class: "branches" }, ...boxes, more);
  }

  function adder(path) {
    const isOpen = same(own.adding, path);
    const button = make(
      "button",
      {
        type: "button",
        class: "add",
        "aria-expanded": String(isOpen),
        "data-focus": key(path, "add"),
        onclick: () => {
          own.adding = isOpen ? null : path;
          own.next = key(path, isOpen ? "add" : "find");
          draw();
        },
      },
      isOpen ? "Close" : path.length > 1 ? "+ Add" : "+ Add an operation",
    );
    return make("div", { class: "adder" }, button, isOpen && menu(path));
  }

  function menu(path) {
    const told = make("p", { class: "help", "aria-live": "polite" }, "Rest on one to read what it does.");
    const pick = ({ name, label = name, help, parameter, value }) => {
      const say = () => (told.textContent = `${label}: ${help}`);
      const add = () => {
        if (!send({ act: "insert", path, name, ...(parameter !== undefined && { parameter, value }) })) return;
        own.adding = null;
        own.open = path;
        own.unfolded.set(path.join("."), true);
        own.next = key(path, "name");
      };
      return make("button", { type: "button", class: "pick", title: help, onclick: add, onfocus: say, onpointerenter: say }, label);
    };
    const section = (title, offers) =>
      make("section", {}, make("h4", {}, title), make("div", {}, ...offers.map(pick)));
    const shown = make("div", { class: "offers" });
    const offer = (wanted) => {
      const groups = wanted
        ? [["found", found(wanted)]]
        : own.data.groups.map(({ title, operations }) => [title, operations]);
      shown.replaceChildren(...groups.filter(([, offers]) => offers.length).map((one) => section(...one)));
    };
    const find = make("input", {
      type: "search",
      placeholder: "Find an operation",
      "aria-label": "Find an operation",
      "data-focus": key(path, "find"),
      oninput: () => offer(find.value.trim().toLowerCase()),
      onkeydown: (event) => {
        if (event.key === "Enter") shown.querySelector("button")?.click();
        if (event.key === "Escape") {
          own.adding = null;
          own.next = key(path, "add");
          draw();
        }
      },
    });
    offer("");
    return make("div", { class: "menu" }, find, told, shown);
  }

  // What is called so comes first, then what begins so, has it in its name, takes it as a value, tells of it.
  function found(wanted) {
    const ranks = [[], [], [], [], []];
    for (const operation of own.data.groups.flatMap((group) => group.operations)) {
      const { name, help, words } = operation;
      const place = name === wanted ? 0 : name.startsWith(wanted) ? 1 : name.includes(wanted) ? 2 : 4;
      if (place < 4 || help.toLowerCase().includes(wanted)) ranks[place].push(operation);
      words.forEach((known, parameter) =>
        known.forEach((word, value) => {
          // The first word is what an operation does anyway.
          if (value > 0 && (word.includes(wanted) || word.replaceAll("_", " ").includes(wanted)))
            ranks[3].push({ name, label: `${name}: ${word.replaceAll("_", " ")}`, help, parameter, value });
        }),
      );
    }
    return ranks.flat();
  }

  function same(one, other) {
    return one !== null && other !== null && one.join(".") === other.join(".");
  }
}
