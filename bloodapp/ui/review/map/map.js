// The map: points that are moved and enlarged, pointed at, drawn around, walked through by keys. What is chosen, hidden
// and looked at lives here and is only reported: a slow answer never takes back what was done meanwhile.
const FARTHEST = 80, REACH = 12, REST_MS = 130, SEEN_MOST = 400, SLOW_MS = 32, QUICK_MS = 19, SPARSEST = 16;
const ICONS = {
  lasso: "M12 4c5 0 9 2.7 9 6s-4 6-9 6c-1.5 0-3-.2-4.2-.7M7.8 15.3C5 14.3 3 12.3 3 10c0-3.3 4-6 9-6M6 14a2 2 0 1 0 2 2.5c0 2-1 3.5-3 4",
  box: "M4 4h4M12 4h4M20 4v4M20 12v4M20 20h-4M12 20H8M4 20v-4M4 12V8",
  move: "M12 3v18M3 12h18M9 6l3-3 3 3M9 18l3 3 3-3M6 9l-3 3 3 3M18 9l3 3-3 3",
  in: "M12 5v14M5 12h14", out: "M5 12h14", reset: "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5",
};
const TOOLS = { lasso: "Draw around points", box: "Draw a rectangle", move: "Move the map" };
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const OUTLINES = {
  circle: '<circle cx="6" cy="6" r="5"/>', square: '<rect x="1.5" y="1.5" width="9" height="9"/>',
  diamond: '<path d="M6 0 12 6 6 12 0 6Z"/>', up: '<path d="M6 1 12 11H0Z"/>', down: '<path d="M6 11 0 1H12Z"/>',
  cross: '<path d="M4 0h4v4h4v4H8v4H4V8H0V4h4Z"/>', pentagon: '<path d="M6 .5 11.7 4.7 9.5 11.3H2.5L.3 4.7Z"/>',
  star: '<path d="M6 0 12 9H0ZM6 12 0 3H12Z"/>',
};

export default function ({ data, parentElement, setStateValue, setTriggerValue }) {
  const root = parentElement.querySelector(".plane");
  const own = (root.own ??= begin(root));
  own.say = setStateValue;
  own.tell = setTriggerValue;
  own.update(data);
  return () => setTimeout(() => root.isConnected || own.end(), 0); // drawn anew it stays, gone it frees its memory
}

function begin(root) {
  const part = (name) => root.querySelector(`.${name}`);
  const [stage, over, card, legend, told] = ["stage", "over", "seen", "legend", "told"].map(part);
  const pen = over.getContext("2d");
  const own = { update, end };
  const view = { x: 0.5, y: 0.5, zoom: 1, fit: [0.94, 0.94] };
  const seen = new Map(), hidden = new Set(), touches = new Map(), box = { width: 1, height: 1 };
  let data = {}, looks = [], scene = null, points = null, groups = null, paint = null, frame = 0, stale = true;
  let tool = "lasso", path = null, drag = null, at = -1, cursor = -1, anchor = -1, pointer = null, timer = 0, round = null;
  let spaceHeld = false, sparse = 1, rest = 0, kept = null;

  // What the page says

  function update(given) {
    const before = data;
    data = given;
    if (data.place !== before.place) {
      hidden.clear();
      at = cursor = anchor = -1;
      if (scene) choose(null, false);
    }
    if (data.asof !== before.asof || data.place !== before.place) seen.clear(); // what is known of them is known no more
    if (data.points !== before.points) load(data.points, (bytes) => (points = new Uint16Array(bytes)), "points");
    if (data.groups !== before.groups) load(data.groups, (bytes) => (groups = new Uint8Array(bytes)), "groups");
    if (JSON.stringify([data.by, data.looks]) !== JSON.stringify([before.by, before.looks])) drawLegend();
    if (data.equal !== before.equal || data.points !== before.points) fit();
    if (data.points !== before.points) reset();
    stage.setAttribute("aria-label", data.label);
    if (data.picture) {
      seen.set(data.picture.index, data.picture);
      if (seen.size > SEEN_MOST) seen.delete(seen.keys().next().value);
      showCard();
    }
    if (data.round !== round) {
      round = data.round;
      if (!data.chosen) choose(null, false);
      else load(data.chosen, (bytes) => (kept = new Uint8Array(bytes)), "chosen");
    }
  }

  async function load(url, take, name, tries = 4) {
    if (name !== "chosen") root.classList.add("loading");
    try {
      const answer = await fetch(url);
      if (!answer.ok) throw new Error(answer.status);
      const bytes = await answer.arrayBuffer();
      if (data[name] !== url) return; // something newer is on its way
      take(bytes);
    } catch {
      if (tries) setTimeout(() => data[name] === url && load(url, take, name, tries - 1), 1000);
      return;
    }
    if (name !== "chosen" && points && groups && points.length === 2 * groups.length) {
      scene = { xy: points, groups, chosen: scene?.chosen?.length === groups.length ? scene.chosen : null };
      paint ??= painter(part("points"));
      root.dataset.drawn = paint.how;
      paint.take(scene);
      root.classList.remove("loading");
      again();
    }
    if (kept && scene) {
      choose(unpacked(kept, scene.groups.length), false);
      kept = null;
    }
  }

  // Drawing

  function again(all = true) {
    stale ||= all;
    frame ||= requestAnimationFrame(draw);
  }

  function draw() {
    frame = 0;
    if (!scene) return;
    const ratio = Math.min(devicePixelRatio || 1, 2);
    if (stale) {
      if (paint.lost()) revive();
      paint.draw(view, looks, ratio, rest ? sparse : 1);
      if (rest) pace();
      root.dataset.frames = Number(root.dataset.frames || 0) + 1;
    }
    stale = false;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, box.width, box.height);
    const style = getComputedStyle(stage);
    const [ink, accent] = [style.color, style.getPropertyValue("--accent")];
    const outline = path ?? (anchor >= 0 && cursor >= 0 ? rectangle(place(anchor), place(cursor)) : null);
    if (outline) {
      pen.beginPath();
      outline.forEach(([x, y], i) => (i ? pen.lineTo(x, y) : pen.moveTo(x, y)));
      pen.closePath();
      Object.assign(pen, { globalAlpha: 0.12, fillStyle: accent, strokeStyle: accent, lineWidth: 1.5 });
      pen.fill();
      pen.globalAlpha = 1;
      pen.setLineDash([5, 4]);
      pen.stroke();
      pen.setLineDash([]);
    }
    for (const [i, wide] of [[at, 1.5], [cursor, 2]]) {
      if (i < 0) continue;
      const [x, y] = place(i);
      Object.assign(pen, { strokeStyle: i === cursor ? accent : ink, lineWidth: wide });
      pen.beginPath();
      pen.arc(x, y, 9, 0, 7);
      if (i === cursor) for (const [dx, dy] of Object.values(ARROWS)) {
        pen.moveTo(x + 9 * dx, y + 9 * dy);
        pen.lineTo(x + 17 * dx, y + 17 * dy);
      }
      pen.stroke();
    }
  }

  // While the map moves, fewer points are drawn where all of them would take longer than a frame may.
  function pace() {
    const begun = performance.now();
    requestAnimationFrame(() =>
      requestAnimationFrame(() => {
        const took = (performance.now() - begun) / 2;
        if (took > SLOW_MS) sparse = Math.min(2 * sparse, SPARSEST);
        else if (took < QUICK_MS) sparse = Math.max(sparse / 2, 1);
      }),
    );
  }

  function revive() {
    const old = part("points"), fresh = old.cloneNode();
    old.replaceWith(fresh);
    paint = painter(fresh);
    paint.take(scene);
  }

  function fit() {
    const { width, height } = box, least = Math.min(width, height);
    view.fit = data.equal ? [(0.94 * least) / width, (0.94 * least) / height] : [0.94, 0.94];
  }

  const place = (i) => toScreen(scene, view, box, i);
  const rectangle = ([a, b], [c, d]) => [[a, b], [c, b], [c, d], [a, d]];

  // Getting about

  function reset() {
    Object.assign(view, { x: 0.5, y: 0.5, zoom: 1 });
    moved();
  }

  function moved() {
    view.x = Math.min(Math.max(view.x, 0), 1);
    view.y = Math.min(Math.max(view.y, 0), 1);
    clearTimeout(rest);
    rest = setTimeout(() => {
      rest = 0;
      if (sparse > 1) again();
    }, REST_MS);
    again();
    showCard();
  }

  function zoom(times, from = [box.width / 2, box.height / 2]) {
    const before = toPlane(view, box, from);
    view.zoom = Math.min(Math.max(view.zoom * times, 1), FARTHEST);
    const after = toPlane(view, box, from);
    view.x += before[0] - after[0];
    view.y += before[1] - after[1];
    if (view.zoom === 1) Object.assign(view, { x: 0.5, y: 0.5 });
    moved();
  }

  function pan(dx, dy) {
    view.x -= dx / (view.zoom * view.fit[0] * box.width);
    view.y += dy / (view.zoom * view.fit[1] * box.height);
    moved();
  }

  // Choosing

  function choose(marks, report = true) {
    if (!scene) return;
    let count = 0;
    if (marks) for (const one of marks) count += one;
    scene.chosen = count ? marks : null;
    root.dataset.chosen = count;
    paint.choose(scene);
    again();
    if (report) own.tell("chosen", { bits: count ? packed(marks) : "", count });
    if (report) told.textContent = count ? `${count.toLocaleString("en")} images chosen` : "Nothing chosen";
  }

  function around(polygon, more) {
    const marks = more && scene.chosen ? scene.chosen.slice() : new Uint8Array(scene.groups.length);
    mark(scene, looks, view, box, polygon, marks);
    choose(marks);
  }

  function toggle(i, more) {
    const marks = more && scene.chosen ? scene.chosen.slice() : new Uint8Array(scene.groups.length);
    marks[i] = more ? 1 - marks[i] : 1;
    choose(marks);
  }

  // Pointing

  function lookAt(i) {
    if (i === at) return;
    at = i;
    again(false);
    showCard();
    ask(i);
  }

  function ask(i) {
    clearTimeout(timer);
    if (i >= 0 && !seen.has(i)) timer = setTimeout(() => own.say("hover", i), REST_MS);
  }

  function showCard() {
    const i = at >= 0 ? at : cursor;
    card.hidden = i < 0 || !scene || drag !== null || path !== null;
    if (card.hidden) return;
    const known = seen.get(i), look = looks[scene.groups[i] & 127];
    const image = card.querySelector("img"), words = card.querySelector("div");
    image.hidden = !known;
    if (known) image.src = known.src;
    image.style.borderColor = known ? known.colour : "transparent";
    image.classList.toggle("out", Boolean(known?.out));
    const lines = known ? known.lines : [look?.title ?? "", `image ${i.toLocaleString("en")}`];
    words.replaceChildren(...lines.map((line, n) => Object.assign(document.createElement(n ? "small" : "b"), { textContent: line })));
    card.dataset.index = i;
    const [x, y] = place(i);
    const [wide, high] = [card.offsetWidth, card.offsetHeight];
    card.style.left = `${Math.max(4, x + 16 + wide > box.width ? x - wide - 16 : x + 16)}px`;
    card.style.top = `${Math.min(Math.max(4, y - high / 2), Math.max(4, box.height - high - 4))}px`;
    if (i === cursor) told.textContent = lines.join(", ");
  }

  const whereIs = (event) => {
    const edge = stage.getBoundingClientRect();
    return [event.clientX - edge.left, event.clientY - edge.top];
  };

  stage.addEventListener("pointerdown", (event) => {
    if (!scene || event.target.closest("button")) return;
    const from = whereIs(event);
    stage.focus({ preventScroll: true });
    stage.setPointerCapture(event.pointerId);
    touches.set(event.pointerId, from);
    cursor = anchor = -1;
    if (touches.size === 2) [path, drag] = [null, { pinch: true }];
    else if (event.button || tool === "move" || spaceHeld) drag = { from };
    else path = Object.assign([from], { boxed: tool === "box" || event.shiftKey });
    stage.classList.toggle("moving", drag !== null);
    lookAt(-1);
  });

  stage.addEventListener("pointermove", (event) => {
    if (!scene) return;
    const to = whereIs(event);
    pointer = to;
    if (drag?.pinch) {
      if (!touches.has(event.pointerId) || touches.size !== 2) return;
      const [a, b] = [...touches.values()];
      const before = [Math.hypot(a[0] - b[0], a[1] - b[1]), (a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
      touches.set(event.pointerId, to);
      const [c, d] = [...touches.values()];
      pan((c[0] + d[0]) / 2 - before[1], (c[1] + d[1]) / 2 - before[2]);
      zoom(Math.hypot(c[0] - d[0], c[1] - d[1]) / Math.max(before[0], 1), [(c[0] + d[0]) / 2, (c[1] + d[1]) / 2]);
    } else if (drag) {
      pan(to[0] - drag.from[0], to[1] - drag.from[1]);
      drag.from = to;
    } else if (path) {
      const [x, y] = path.at(-1);
      if (path.boxed) path = Object.assign(rectangle(path[0], to), { boxed: true });
      else if (Math.hypot(to[0] - x, to[1] - y) > 3) path.push(to);
      again(false);
    } else if (!event.target.closest("button")) {
      lookAt(nearest(scene, looks, view, box, to, REACH));
    } else lookAt(-1);
  });

  const lift = (event) => {
    touches.delete(event.pointerId);
    const [line, clicked] = [path, drag && !drag.pinch];
    if (!touches.size || !drag?.pinch) drag = null;
    path = null;
    stage.classList.remove("moving");
    again(false);
    if (event.type !== "pointerup" || clicked || !line || !scene) return;
    const more = event.ctrlKey || event.metaKey;
    const [xs, ys] = [line.map((one) => one[0]), line.map((one) => one[1])];
    if (Math.max(...xs) - Math.min(...xs) + Math.max(...ys) - Math.min(...ys) > 8) return around(line, more);
    const i = nearest(scene, looks, view, box, line[0], REACH);
    if (i >= 0) toggle(i, more);
    else if (scene.chosen) choose(null);
  };
  stage.addEventListener("pointerup", lift);
  stage.addEventListener("pointercancel", lift);
  stage.addEventListener("pointerleave", () => lookAt(-1));
  stage.addEventListener("contextmenu", (event) => event.preventDefault());
  stage.addEventListener("dblclick", (event) => {
    const i = scene && !event.target.closest("button") ? nearest(scene, looks, view, box, whereIs(event), REACH) : -1;
    if (i >= 0) own.tell("opened", i);
  });
  stage.addEventListener(
    "wheel",
    (event) => {
      if (!scene || (view.zoom === 1 && event.deltaY > 0)) return; // all is seen: the page scrolls on
      event.preventDefault();
      const far = event.deltaY * (event.deltaMode === 1 ? 16 : 1);
      zoom(Math.exp(-far * (event.ctrlKey ? 0.01 : 0.002)), whereIs(event));
    },
    { passive: false },
  );

  // Keys

  stage.addEventListener("keydown", (event) => {
    if (!scene || event.target !== stage || event.altKey) return;
    const command = event.ctrlKey || event.metaKey;
    const known = command ? { a: inView }[event.key] : keys[event.key] ?? keys[event.key.toLowerCase()];
    if (!known || known(event) === false) return;
    event.preventDefault();
    event.stopPropagation();
  });
  stage.addEventListener("keyup", (event) => event.key === " " && (spaceHeld = false));
  stage.addEventListener("blur", () => {
    spaceHeld = false;
    cursor = anchor = -1;
    again(false);
    showCard();
  });

  function walk(event) {
    const along = ARROWS[event.key];
    if (event.shiftKey) return pan(-60 * along[0], -60 * along[1]);
    const next =
      cursor < 0
        ? nearest(scene, looks, view, box, pointer ?? [box.width / 2, box.height / 2], Infinity)
        : nextTo(scene, looks, view, box, place(cursor), along);
    if (next < 0) return;
    at = -1;
    cursor = next;
    const [x, y] = place(next), edge = 30;
    const aside = (now, end) => (now < edge ? edge - now : now > end - edge ? end - edge - now : 0);
    if (view.zoom > 1) pan(aside(x, box.width), aside(y, box.height));
    again(false);
    showCard();
    ask(next);
  }

  function span() {
    if (cursor < 0) return;
    if (anchor < 0) told.textContent = "Rectangle begun: walk to its other corner, then press L or Enter";
    else around(rectangle(place(anchor), place(cursor)).map(([x, y], i) => [x + (i % 3 ? 0.01 : -0.01), y]), false);
    anchor = anchor < 0 ? cursor : -1;
    again(false);
  }

  function inView() {
    around(rectangle([0, 0], [box.width, box.height]), false);
  }

  function leave() {
    if (path || drag) [path, drag] = [null, null];
    else if (anchor >= 0) anchor = -1;
    else if (scene.chosen) choose(null);
    else if (cursor >= 0) cursor = -1;
    else return false;
    again(false);
    showCard();
  }

  const centre = () => (cursor >= 0 ? place(cursor) : undefined);
  const keys = {
    ...Object.fromEntries(Object.keys(ARROWS).map((key) => [key, walk])),
    "+": () => zoom(1.5, centre()), "=": () => zoom(1.5, centre()), "-": () => zoom(1 / 1.5, centre()), 0: reset,
    Enter: () => (anchor >= 0 ? span() : cursor >= 0 ? own.tell("opened", cursor) : false),
    " ": () => (cursor >= 0 ? toggle(cursor, true) : void (spaceHeld = true)),
    l: span, Escape: leave,
  };

  // The legend and the tools

  function drawLegend() {
    const focused = legend.getRootNode().activeElement?.dataset?.key;
    looks = data.looks.map((one) => ({
      ...one,
      hidden: hidden.has(`${data.by}/${one.key}`),
      rgb: [1, 3, 5].map((from) => parseInt(one.colour.slice(from, from + 2), 16)),
    }));
    const shown = looks.filter((one) => !one.hidden).length;
    legend.replaceChildren(...looks.map(entry));
    part("all").hidden = shown === looks.length;
    if (focused) legend.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
    again();
  }

  function entry(one) {
    const item = document.createElement("li"), button = document.createElement("button");
    button.type = "button";
    button.dataset.key = one.key;
    button.setAttribute("aria-pressed", String(!one.hidden));
    button.title = `${one.hidden ? "Show" : "Hide"} ${one.title}; double-click: only these`;
    const icon = `<svg viewBox="-0.5 -0.5 13 13" fill="${one.colour}" aria-hidden="true">${OUTLINES[one.shape]}</svg>`;
    button.innerHTML = `${icon}<span></span><em></em>`;
    button.querySelector("span").textContent = one.title;
    button.querySelector("em").textContent = one.count.toLocaleString("en");
    const flip = (what) => {
      what();
      at = cursor = anchor = -1;
      drawLegend();
      showCard();
    };
    const key = `${data.by}/${one.key}`;
    button.onclick = () => flip(() => hidden.delete(key) || hidden.add(key));
    button.ondblclick = () =>
      flip(() => looks.forEach((other) => (other.key === one.key ? hidden.delete(key) : hidden.add(`${data.by}/${other.key}`))));
    item.append(button);
    return item;
  }

  part("all").onclick = () => {
    for (const one of looks) hidden.delete(`${data.by}/${one.key}`);
    drawLegend();
    legend.querySelector("button")?.focus();
  };
  for (const button of root.querySelectorAll(".tools button")) {
    const { what } = button.dataset;
    button.innerHTML = `<svg viewBox="0 0 24 24" aria-hidden="true"><path d="${ICONS[what]}"/></svg>`;
    button.onclick = () => {
      if (what in TOOLS) take(what);
      else ({ in: () => zoom(1.6), out: () => zoom(1 / 1.6), reset })[what]();
    };
  }
  const take = (what) => {
    tool = what;
    stage.dataset.tool = what;
    for (const one of root.querySelectorAll(".choice button")) one.setAttribute("aria-pressed", String(one.dataset.what === what));
  };
  take("lasso");

  const size = new ResizeObserver(() => {
    const ratio = Math.min(devicePixelRatio || 1, 2);
    Object.assign(box, { width: stage.clientWidth || 1, height: stage.clientHeight || 1 });
    for (const canvas of [part("points"), over]) [canvas.width, canvas.height] = [box.width * ratio, box.height * ratio];
    fit();
    again();
  });
  size.observe(stage);

  function end() {
    size.disconnect();
    clearTimeout(timer);
    clearTimeout(rest);
    cancelAnimationFrame(frame);
    paint?.free();
    root.own = undefined;
  }
  return own;
}
