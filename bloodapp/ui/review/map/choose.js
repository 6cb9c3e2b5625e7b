// Which points lie where. Places on screen are CSS pixels from the stage's upper left corner.
const LEVELS = 65535;

function toScreen(scene, view, box, i) {
  const x = (scene.xy[2 * i] / LEVELS - view.x) * view.zoom * view.fit[0] * box.width + box.width / 2;
  const y = box.height / 2 - (scene.xy[2 * i + 1] / LEVELS - view.y) * view.zoom * view.fit[1] * box.height;
  return [x, y];
}

function toPlane(view, box, [x, y]) {
  return [
    (x - box.width / 2) / (view.zoom * view.fit[0] * box.width) + view.x,
    (box.height / 2 - y) / (view.zoom * view.fit[1] * box.height) + view.y,
  ];
}

// The point that `cost(dx, dy)` likes best, seen from a place on screen: -1 where all cost Infinity.
function best(scene, looks, view, box, [fromX, fromY], cost) {
  const wide = (view.zoom * view.fit[0] * box.width) / LEVELS, high = (view.zoom * view.fit[1] * box.height) / LEVELS;
  const [left, top] = [box.width / 2 - view.x * LEVELS * wide - fromX, box.height / 2 + view.y * LEVELS * high - fromY];
  const hidden = looks.map((one) => one.hidden);
  let found = -1, least = Infinity;
  for (let i = 0; i < scene.groups.length; i++) {
    if (hidden[scene.groups[i] & 127]) continue;
    const now = cost(scene.xy[2 * i] * wide + left, top - scene.xy[2 * i + 1] * high);
    if (now < least) [found, least] = [i, now];
  }
  return found;
}

const nearest = (scene, looks, view, box, from, reach) =>
  best(scene, looks, view, box, from, (dx, dy) => (dx * dx + dy * dy <= reach * reach ? dx * dx + dy * dy : Infinity));

// The next point in a direction, about a step away; where there is none so near, the nearest there is.
function nextTo(scene, looks, view, box, from, [alongX, alongY]) {
  const STEP = 26, LEAST = 7;
  return best(scene, looks, view, box, from, (dx, dy) => {
    const ahead = dx * alongX + dy * alongY, aside = Math.abs(dx * alongY - dy * alongX);
    return ahead < LEAST || aside > 1.2 * ahead ? Infinity : Math.abs(ahead - STEP) + 1.6 * aside;
  });
}

// Marks the points inside a polygon [[x, y], …] on screen; gives how many.
function mark(scene, looks, view, box, polygon, marks) {
  const corners = polygon.map((place) => toPlane(view, box, place).map((part) => part * LEVELS));
  const [xs, ys] = [corners.map((one) => one[0]), corners.map((one) => one[1])];
  const [left, right, low, high] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const hidden = looks.map((one) => one.hidden);
  let count = 0;
  for (let i = 0; i < scene.groups.length; i++) {
    const x = scene.xy[2 * i], y = scene.xy[2 * i + 1];
    if (x < left || x > right || y < low || y > high || hidden[scene.groups[i] & 127]) continue;
    let inside = false;
    for (let a = 0, b = xs.length - 1; a < xs.length; b = a++)
      if (ys[a] > y !== ys[b] > y && x < ((xs[b] - xs[a]) * (y - ys[a])) / (ys[b] - ys[a]) + xs[a]) inside = !inside;
    if (inside) {
      marks[i] = 1;
      count++;
    }
  }
  return count;
}

// Marks as text, one bit a point, without the zeros at the end; and back.
function packed(marks) {
  let last = marks.length;
  while (last && !marks[last - 1]) last--;
  const bytes = new Uint8Array(Math.ceil(last / 8));
  for (let i = 0; i < last; i++) if (marks[i]) bytes[i >> 3] |= 1 << (i & 7);
  let text = "";
  for (let i = 0; i < bytes.length; i += 4096) text += String.fromCharCode(...bytes.subarray(i, i + 4096));
  return btoa(text);
}

function unpacked(bytes, count) {
  const marks = new Uint8Array(count);
  for (let i = 0; i < count; i++) marks[i] = (bytes[i >> 3] >> (i & 7)) & 1;
  return marks;
}
