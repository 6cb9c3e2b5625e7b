// What a person did that the server has not yet written down. Each act has an id of its own and is sent again until
// it is answered, after a reload or a restart too: the ledger takes an id once. So nothing is lost and nothing doubled.
const STACK = 500; // acts that can be taken back from the keyboard, one after the other

function actsOf(place, send) {
  const kept = read();
  const pending = kept.pending ?? [];
  const stack = kept.stack ?? []; // the ids of what was done and not taken back, the last at the end

  function read() {
    try {
      return JSON.parse(sessionStorage.getItem(place)) ?? {};
    } catch {
      return {};
    }
  }

  function keep() {
    try {
      sessionStorage.setItem(place, JSON.stringify({ pending, stack: stack.slice(-STACK) }));
    } catch {
      // A full or forbidden store: what is pending is still sent, it only does not outlive a reload.
    }
  }

  return {
    pending,
    add(act) {
      const whole = { id: crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`, ...act };
      pending.push(whole);
      if (act.does === "undo") {
        const at = stack.indexOf(act.act);
        if (at >= 0) stack.splice(at, 1);
      } else stack.push(whole.id);
      keep();
      send([...pending]);
      return whole;
    },
    // What the server has answered waits no more; one that it refused was not done.
    answered(done, failed) {
      let changed = false;
      for (const act of [...pending]) {
        if (!(act.id in done) && !(act.id in failed)) continue;
        pending.splice(pending.indexOf(act), 1);
        if (act.id in failed && stack.includes(act.id)) stack.splice(stack.indexOf(act.id), 1);
        changed = true;
      }
      if (changed) keep();
    },
    again() {
      if (pending.length) send([...pending]);
    },
    last: () => stack[stack.length - 1] ?? null,
  };
}

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

function counted(number, one, many = `${one}s`) {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}

// Show one picture out of the one that holds a block of them, row by row.
function paint(element, block, place) {
  element.style.backgroundImage = block?.src ? `url("${block.src}")` : "none";
  if (!block?.src) return;
  const { columns, rows } = block;
  const x = columns > 1 ? (100 * (place % columns)) / (columns - 1) : 0;
  const y = rows > 1 ? (100 * Math.floor(place / columns)) / (rows - 1) : 0;
  element.style.backgroundSize = `${100 * columns}% ${100 * rows}%`;
  element.style.backgroundPosition = `${x}% ${y}%`;
}
