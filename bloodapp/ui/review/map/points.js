// Draws points that lie in the unit square: by WebGL, or where there is none on a plain canvas.
// A scene is {xy: Uint16Array(2n), groups: Uint8Array(n), chosen: Uint8Array(n) | null}; the highest bit of a group
// says that its point is pale. Where several lie in one place, they are drawn larger. A view is {x, y, zoom, fit}:
// what lies in the middle, how many times it is enlarged, and which share of the width and the height it takes at first.
const SHAPES = ["circle", "square", "diamond", "up", "cross", "star", "pentagon", "down"];
const MOST = 32;
const PALE = 128;

const VERTEX = `
  attribute vec2 place; attribute float group; attribute float chosen; attribute float times;
  uniform vec2 middle; uniform vec2 scale; uniform float size; uniform float dim;
  uniform vec4 colours[${MOST}]; uniform float shapes[${MOST}];
  varying vec4 colour; varying float shape; varying float side;
  void main() {
    float pale = step(${PALE}.0, group);
    int which = int(group - pale * ${PALE}.0 + 0.5);
    colour = colours[which];
    shape = shapes[which];
    float lit = dim * (1.0 - chosen);
    side = size * (1.0 + 0.3 * chosen * dim) * min(1.0 + 0.32 * log2(max(times, 1.0)), 3.6);
    gl_PointSize = side;
    float there = step(0.5, colour.a);
    colour.a = 0.86 * (1.0 - 0.7 * pale) * (1.0 - 0.82 * lit);
    gl_Position = vec4((place - middle) * scale, there > 0.5 ? 0.0 : 9.0, 1.0);
  }`;
const FRAGMENT = `
  precision mediump float;
  varying vec4 colour; varying float shape; varying float side;
  float corners(vec2 p, float n) { // of a polygon that stands on a corner
    float angle = atan(p.x, p.y), step = 6.2831853 / n;
    return cos(floor(0.5 + angle / step) * step - angle) * length(p);
  }
  void main() {
    vec2 p = gl_PointCoord * 2.0 - 1.0; p.y = -p.y;
    vec2 a = abs(p);
    float out_ = length(p) - 0.86;
    if (side > 4.5) {
      if (shape > 6.5) out_ = corners(p, 3.0) - 0.5;
      else if (shape > 5.5) out_ = corners(-p, 5.0) - 0.76;
      else if (shape > 4.5) out_ = min(corners(p, 3.0), corners(-p, 3.0)) - 0.5;
      else if (shape > 3.5) out_ = max(min(a.x, a.y) - 0.3, max(a.x, a.y) - 0.95);
      else if (shape > 2.5) out_ = corners(-p, 3.0) - 0.5;
      else if (shape > 1.5) out_ = a.x + a.y - 0.98;
      else if (shape > 0.5) out_ = max(a.x, a.y) - 0.76;
    }
    float alpha = colour.a * clamp(0.5 - out_ * side * 0.5, 0.0, 1.0);
    if (alpha < 0.02) discard;
    gl_FragColor = vec4(colour.rgb * alpha, alpha);
  }`;

// How large a point is, in CSS pixels: smaller where there are many, larger the nearer one looks.
function pointSize(count, zoom) {
  const base = count > 60000 ? 3.4 : count > 20000 ? 4.4 : count > 4000 ? 5.4 : 7;
  return Math.min(base * Math.pow(zoom, 0.34), 15);
}

// What is drawn, and in which order: groups as they come, so that those with nothing to tell lie below.
function inOrder(groups) {
  const start = new Uint32Array(MOST + 1);
  for (const group of groups) start[(group & 127) + 1]++;
  for (let i = 1; i <= MOST; i++) start[i] += start[i - 1];
  const order = new Uint32Array(groups.length);
  for (let i = 0; i < groups.length; i++) order[start[groups[i] & 127]++] = i;
  return order;
}

// Of each point, how many lie exactly where it does: copies of one picture.
function inOnePlace(xy) {
  const places = new Uint32Array(xy.length / 2), count = new Map(), times = new Uint16Array(places.length);
  for (let i = 0; i < places.length; i++) {
    places[i] = xy[2 * i] * 65536 + xy[2 * i + 1];
    count.set(places[i], (count.get(places[i]) ?? 0) + 1);
  }
  for (let i = 0; i < places.length; i++) times[i] = Math.min(count.get(places[i]), 65535);
  return times;
}

// `draw(view, looks, ratio, sparse)` draws every so-manieth point of each group: fewer while the map moves, on a
// computer that draws slowly.
function painter(canvas) {
  const gl = canvas.getContext("webgl", { antialias: false, alpha: true, premultipliedAlpha: true });
  return (gl && byWebGL(canvas, gl)) || onCanvas(canvas);
}

function byWebGL(canvas, gl) {
  const program = gl.createProgram();
  for (const [kind, text] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, text);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) return null;
  gl.useProgram(program);
  gl.enable(gl.BLEND);
  gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  // Asked for once: each question would wait until all that was drawn before is done.
  const uniform = Object.fromEntries(
    ["colours", "shapes", "middle", "scale", "size", "dim"].map((name) => [name, gl.getUniformLocation(program, name)]),
  );
  const attribute = Object.fromEntries(
    ["place", "group", "chosen", "times"].map((name) => [name, gl.getAttribLocation(program, name)]),
  );
  const KINDS = {
    place: [2, gl.UNSIGNED_SHORT, true, 4], group: [1, gl.UNSIGNED_BYTE, false, 1],
    chosen: [1, gl.UNSIGNED_BYTE, false, 1], times: [1, gl.UNSIGNED_SHORT, false, 2],
  };
  const fill = (name, values) => {
    gl.bindBuffer(gl.ARRAY_BUFFER, buffers[name]);
    gl.bufferData(gl.ARRAY_BUFFER, values, gl.STATIC_DRAW);
    step(name, every);
  };
  const step = (name, stride) => {
    const [size, type, normal, bytes] = KINDS[name];
    gl.bindBuffer(gl.ARRAY_BUFFER, buffers[name]);
    gl.enableVertexAttribArray(attribute[name]);
    gl.vertexAttribPointer(attribute[name], size, type, normal, stride * bytes, 0);
  };
  const buffers = Object.fromEntries(["place", "group", "chosen", "times"].map((name) => [name, gl.createBuffer()]));
  let order = new Uint32Array(0), some = false, every = 1;
  return {
    how: "webgl",
    take(scene) {
      order = inOrder(scene.groups);
      const xy = new Uint16Array(2 * order.length), groups = new Uint8Array(order.length), times = inOnePlace(scene.xy);
      const many = new Uint16Array(order.length);
      for (let i = 0; i < order.length; i++) {
        many[i] = times[order[i]];
        xy[2 * i] = scene.xy[2 * order[i]];
        xy[2 * i + 1] = scene.xy[2 * order[i] + 1];
        groups[i] = scene.groups[order[i]];
      }
      fill("place", xy);
      fill("group", groups);
      fill("times", many);
      this.choose(scene);
    },
    choose(scene) {
      const chosen = new Uint8Array(order.length);
      some = scene.chosen !== null;
      if (some) for (let i = 0; i < order.length; i++) chosen[i] = scene.chosen[order[i]];
      fill("chosen", chosen);
    },
    draw(view, looks, ratio, sparse = 1) {
      if (sparse !== every) for (const name of Object.keys(KINDS)) step(name, sparse);
      every = sparse;
      const colours = new Float32Array(4 * MOST), shapes = new Float32Array(MOST);
      looks.forEach((one, i) => {
        colours.set([...one.rgb.map((part) => part / 255), one.hidden ? 0 : 1], 4 * i);
        shapes[i] = SHAPES.indexOf(one.shape);
      });
      gl.viewport(0, 0, canvas.width, canvas.height);
      gl.clearColor(0, 0, 0, 0);
      gl.clear(gl.COLOR_BUFFER_BIT);
      gl.uniform4fv(uniform.colours, colours);
      gl.uniform1fv(uniform.shapes, shapes);
      gl.uniform2f(uniform.middle, view.x, view.y);
      gl.uniform2f(uniform.scale, 2 * view.zoom * view.fit[0], 2 * view.zoom * view.fit[1]);
      gl.uniform1f(uniform.size, pointSize(order.length, view.zoom) * ratio);
      gl.uniform1f(uniform.dim, some ? 1 : 0);
      gl.drawArrays(gl.POINTS, 0, Math.ceil(order.length / every));
    },
    lost: () => gl.isContextLost(),
    free() {
      for (const buffer of Object.values(buffers)) gl.deleteBuffer(buffer);
      gl.deleteProgram(program);
      gl.getExtension("WEBGL_lose_context")?.loseContext();
    },
  };
}

function onCanvas(canvas) {
  const pen = canvas.getContext("2d");
  let scene = null, order = new Uint32Array(0), times = new Uint16Array(0);
  return {
    how: "canvas",
    take(given) {
      scene = given;
      order = inOrder(scene.groups);
      times = inOnePlace(scene.xy);
    },
    choose(given) {
      scene = given;
    },
    draw(view, looks, ratio, sparse = 1) {
      const { width, height } = canvas;
      const least = Math.max(1, Math.round(0.8 * pointSize(order.length, view.zoom) * ratio));
      const [wide, high] = [view.zoom * view.fit[0] * width, view.zoom * view.fit[1] * height];
      pen.clearRect(0, 0, width, height);
      let last = "";
      for (let n = 0; n < order.length; n += sparse) {
        const i = order[n];
        const group = scene.groups[i], one = looks[group & 127];
        if (!one || one.hidden) continue;
        const x = (scene.xy[2 * i] / 65535 - view.x) * wide + width / 2;
        const y = height / 2 - (scene.xy[2 * i + 1] / 65535 - view.y) * high;
        if (x < 0 || y < 0 || x > width || y > height) continue;
        const alpha = (group & PALE ? 0.3 : 0.86) * (scene.chosen && !scene.chosen[i] ? 0.18 : 1);
        const style = `rgba(${one.rgb.join(",")},${alpha})`;
        if (style !== last) pen.fillStyle = last = style;
        const size = times[i] > 1 ? least * Math.min(1 + 0.32 * Math.log2(times[i]), 3.6) : least;
        pen.fillRect(x - size / 2, y - size / 2, size, size);
      }
    },
    lost: () => false,
    free() {},
  };
}
