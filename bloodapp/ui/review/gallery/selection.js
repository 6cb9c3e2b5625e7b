// What is selected. It belongs to the images: it outlives pages, filters and reloads, and is let go only by hand or by
// a decision about it.
function selectionOf(place) {
  let single = new Set();
  let all = null; // everything that a filter showed, but for some
  let token = ""; // the filter that is on show
  try {
    const kept = JSON.parse(sessionStorage.getItem(place)) ?? {};
    single = new Set(kept.single ?? []);
    all = kept.all ?? null;
  } catch {
    single = new Set();
  }
  const own = {
    shows: (now) => (token = now),
    has: (index) => single.has(index) || (here() && !all.minus.includes(index)),
    count: () => single.size + (all ? all.count - all.minus.length : 0),
    // What an act is about: single images, and what the filter showed when all of it was selected.
    subject() {
      const on = [...single];
      return all ? { on, also: { filter: all.filter, asof: all.asof, minus: all.minus } } : { on };
    },
    toggle(index, on = !own.has(index)) {
      if (here()) all.minus = all.minus.filter((one) => one !== index).concat(on ? [] : [index]);
      else if (on) single.add(index);
      else single.delete(index);
    },
    stretch(items, from, to) {
      for (let k = Math.min(from, to); k <= Math.max(from, to); k++) own.toggle(items[k].i, true);
    },
    all(data) {
      single.clear();
      all = { filter: data.filter, asof: data.asof, token: data.token, count: data.total, minus: [] };
    },
    clear() {
      single.clear();
      all = null;
    },
    keep() {
      try {
        sessionStorage.setItem(place, JSON.stringify({ single: [...single], all }));
      } catch {
        // It only does not outlive a reload.
      }
    },
  };
  return own;

  function here() {
    return all !== null && all.token === token;
  }
}
