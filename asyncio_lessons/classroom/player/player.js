// The player of one film: panels that show the loop after one step, and controls that choose the step.
//
// `film` is what page.py packs. A scene is a list of slots: running, ready, timers, selector, how many lines are
// printed, then one slot a task. Numbers below zero stand for values of the table, where equal values are one value:
// so a panel is drawn again only if its slots hold other numbers. A step says which slots it changes.
async (root, film, css) => {
  if (typeof film == "string") {
    const bytes = Uint8Array.from(atob(film), (letter) => letter.charCodeAt(0));
    film = JSON.parse(await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).text());
  }
  const [table, names, pages, sources, printed, scene, steps, stateWords, choices, wakes, onLoop, duration, options] = film;
  const inside = (item) => (typeof item == "number" && item < 0 ? table[-item - 1] : item);
  table.forEach((entry, i) => Array.isArray(entry) && (table[i] = entry.map(inside)));
  const held = (slot) => inside(scene[slot] ?? null);
  const LAST = steps.length - 1;
  const [TASKS, MANY, LINE, LEFT, H] = [5, 40, 19, 92, 17]; // the first slot of a task, lanes, and sizes
  const [KIND, TIME, TASK, CAUSE, SENTENCE, CHANGES, SPOT, NESTED] = [0, 1, 3, 4, 5, 6, 7, 8]; // of a step
  const [READY, RUNNING, WAITING, DONE] = [0, 1, 2, 5]; // states; all from DONE on are ends
  const signs = ["", "", "", "·", "·", "✓", "✕", "!"];

  // -- the scene goes both ways: what a step changes is remembered, to be put back
  const before = [];
  let now = 0;
  const move = (n) => {
    while (now < n) {
      const changes = steps[++now][CHANGES];
      before[now] = changes.map(([slot]) => [slot, scene[slot]]);
      for (const [slot, ref] of changes) scene[slot] = ref;
    }
    while (now > n) for (const [slot, ref] of before[now--]) scene[slot] = ref;
  };
  const taskOf = (i) => held(TASKS + i);
  const isLive = (i) => taskOf(i)?.[0] < DONE;
  const framesOf = (i) => taskOf(i)?.[3] || [];

  // -- lanes: one a task, or one for all tasks whose names differ in a number
  const stemOf = (name) => name.replace(/[\s_#-]*\d+\s*$/, "") || name;
  const [lanes, laneOf, stems] = [[], [], new Map()];
  names.forEach((name, i) => {
    const stem = names.length > MANY ? stemOf(name) : i;
    if (!stems.has(stem)) stems.set(stem, lanes.push({ name, hue: lanes.length < 7 ? lanes.length : 1 + ((lanes.length - 1) % 6), members: [], spans: [], counts: Array(8).fill(0) }) - 1);
    lanes[(laneOf[i] = stems.get(stem))].members.push(i);
  });
  for (const lane of lanes) if (lane.members[1]) lane.name = stemOf(lane.name) + " ×" + lane.members.length;
  const color = (i) => "--h:var(--t" + lanes[laneOf[i]].hue + ")";

  // -- found out once: from which step on a lane is in which state, what the loop runs, and how long lists become
  const [runs, states, longest] = [[], [], [0, 0, 0, 0]];
  const deepest = [RUNNING, READY, WAITING, 4, 3, 7, 6, DONE];
  const look = (n, slot, ref) => {
    const value = inside(ref);
    if (slot == 0) runs.push([n, value && (value[0] ?? -1)]);
    else if (slot < 4) longest[slot] = Math.max(longest[slot], value ? value.length : 0);
    if (slot < TASKS || !value) return;
    const i = slot - TASKS;
    const { counts, spans } = lanes[laneOf[i]];
    if (states[i] >= 0) counts[states[i]]--;
    counts[(states[i] = value[0])]++;
    const state = deepest.find((each) => counts[each]);
    if (spans.length && spans.at(-1)[0] == n) spans.pop();
    if (!spans.length || spans.at(-1)[1] != state) spans.push([n, state]);
  };
  scene.forEach((ref, slot) => look(0, slot, ref));
  steps.forEach((step, n) => step[CHANGES].forEach(([slot, ref]) => look(n, slot, ref)));

  // -- words and nodes
  const el = (tag, cls, ...kids) => {
    const made = document.createElement(tag);
    if (cls) made.className = cls;
    made.append(...kids);
    return made;
  };
  const set = (node, more) => {
    for (const key in more) node.setAttribute(key, more[key]);
    return node;
  };
  const badge = (i, cls = "") => set(el("span", "b " + cls, names[i]), { style: color(i) + (/^[26]$/.test(lanes[laneOf[i]].hue) && !cls ? ";color:var(--dk)" : "") });
  const code = (text) => el("span", "k", text);
  const dim = (...kids) => el("span", "d", ...kids);
  const who = (i, label) => (i === null ? el("span", "cb k", label) : badge(i));
  const tasksIn = (text, draw) => text.split(/\{(\d+)\}/).map((part, i) => (i % 2 ? draw(part) : part));
  const rich = (text) => text.split("`").flatMap((part, i) => (i % 2 ? code(part) : tasksIn(part, badge)));
  const plain = (text) => text.split("`").map((part, i) => (i % 2 ? part : tasksIn(part, (each) => names[each]).join(""))).join("");
  const seconds = (time) => {
    for (const [scale, unit] of [[1, " s"], [1e3, " ms"], [1e6, " µs"]]) if (time * scale >= 0.9995) return +(time * scale).toPrecision(4) + unit;
    return time ? "0 µs" : "0 s";
  };
  const item = (i, ...kids) => set(el("div", "r", ...kids), { role: "listitem", ...(i !== null && { "data-task": i }) });
  const button = (content, label, act, cls) => {
    const made = set(el("button", cls, content), { type: "button", title: label, "aria-label": label });
    made.onclick = act;
    return made;
  };
  const icon = (path) => {
    const made = el("span");
    made.innerHTML = `<svg viewBox="0 0 12 12" aria-hidden="true"><path d="${path}"/></svg>`;
    return made;
  };
  const select = (label, cls, entries, act) => {
    const made = set(el("select", cls), { title: label, "aria-label": label });
    for (const [value, text] of entries) made.append(new Option(text, value));
    made.onchange = act;
    return made;
  };

  // -- the page, made once: the still picture goes, and stays at hand for printing
  const still = [...root.childNodes];
  const page = el("div", "ui");
  root.replaceChildren(el("style", "", css.replaceAll("~", ".lmf.lmf")), page);
  root.className = "lmf";
  set(root, { tabindex: 0, role: "group", "aria-label": "Player: " + (options.title || "the film of a program"), "data-lm-suppress-shortcuts": true, "data-steps": LAST });
  if (options.title) page.append(el("p", "hd", options.title));
  if (options.note) page.append(el("p", "d", options.note));
  const slider = set(el("input"), { type: "range", min: 0, max: LAST, "aria-label": "step" });
  slider.oninput = () => seek(+slider.value);
  const [count, score] = [el("span", "cnt"), el("span", "scr d")];
  const playing = button("", "play, pause (space)", () => play(!ticking), "play");
  const follow = select("follow a task (1 to 9)", "", [[-1, "follow all"], ...names.entries()], () => pick(+follow.value));
  const speed = select("speed", "spd", [0.5, 1, 2, 4, 10].map((times) => [times, times + "×"]), () => play(!!ticking));
  speed.value = 1;
  const predict = button("predict", "predict which task runs next (p)", () => quiz(!predicting));
  page.append(
    el("div", "bar",
      button(icon("M1 1h2v10H1zM11 1v10L4 6z"), "first step (Home)", () => seek(0)),
      button("◀ back", "back (left arrow)", () => seek(now - 1)),
      playing,
      button("step ▶", "forward (right arrow)", () => seek(now + 1)),
      button(icon("M9 1h2v10H9zM1 1v10l7-5z"), "last step (End)", () => seek(LAST)),
      slider, count),
    el("div", "bar", follow,
      button("◀ its previous", "this task's previous step ([)", () => hop(-1)),
      button("its next ▶", "this task's next step (])", () => hop(1)),
      speed, ...(onLoop ? [predict, score] : []),
      el("span", "help d", "← → step · space play · [ ] same task · 1–9 follow" + (onLoop ? " · p predict" : ""))),
  );
  const [panels, heads, bodies, drawn] = [{}, {}, {}, {}];
  const panel = (name, cls, title, hint = "") => {
    bodies[name] = el("div");
    if (hint !== null) set(bodies[name], { role: "list" });
    heads[name] = el("h4", "", title + " ", el("span", "", hint || ""));
    panels[name] = set(el("section", "pn " + cls), { "data-panel": name, "aria-label": title });
    if (name != "sentence") panels[name].append(heads[name]);
    panels[name].append(bodies[name]);
    return panels[name];
  };
  const ask = set(el("div", "ask"), { role: "group", "aria-label": "Which task runs next?" });
  page.append(
    panel("sentence", "snt", "what happened", null),
    el("div", "main",
      panel("source", "src", "source", null),
      el("div", "side" + (longest[3] ? " sel" : ""),
        panel("running", "", "running now"), panel("ready", "", "ready queue", "(next first)"), ask,
        panel("timers", "", "timers", "(soonest first)"), panel("selector", "", "selector", "(listens to)"), panel("printed", "", "printed"))),
    panel("tasks", "tsk", onLoop ? "tasks" : "generators"),
    panel("timeline", "tl", "timeline", null),
  );
  set(bodies.sentence, { role: "status", "aria-live": "polite" });
  panels.selector.hidden = !longest[3];
  panels.printed.hidden = !printed.length;
  panels.timers.hidden = !onLoop;
  const lined = (most, height = 21) => 28 + height * most + "px";
  const rows = Math.min(lanes.length, 6);
  const strips = Math.min(lanes.length, 8) + 1;
  const sizes = {
    "--tm": onLoop ? lined(longest[2] + longest[3] > 1 ? 2 : 1) : 0,
    "--pr": printed.length && onLoop ? lined(printed.length > 1 ? 2 : 1) : 0,
    "--th": 22 + 24 * rows + "px", "--tn": 22 + 68 * Math.min(rows, 4) + "px", "--tl": 44 + 17 * strips + "px",
    "--bw": Math.min(Math.max(...lanes.map((lane) => lane.name.length), 4) * 0.62 + 2.2, 12) + "em",
  };
  for (const key in sizes) page.style.setProperty(key, sizes[key]);

  // -- panels: each shows its part of the scene
  const show = (name, key, draw) => {
    if (drawn[name] !== key) bodies[name].replaceChildren(...draw());
    drawn[name] = key;
  };
  const none = (text) => [el("div", "r d", text)];
  // Of a long list the last item says how many more there are.
  const some = (list, empty, draw) =>
    !list?.length ? none(empty) : list.flatMap((entry, i) => (entry > 0 ? none(`and ${entry} more`) : [draw(entry, i)]));
  let [followed, chosen] = [-1, null]; // chosen: [task, depth of the frame that is looked at]
  let [predicting, asking, hinted] = [false, 0, false]; // asking: the step that is the answer

  const drawRunning = () => show("running", asking ? "?" : scene[0], () => {
    const value = held(0);
    if (asking || !value) return none(asking ? "?" : onLoop ? "no task: the loop itself" : "the code outside");
    return [item(value[0], who(...value))];
  });
  const drawReady = () => show("ready", asking ? "?" : scene[1] + "," + now, () => {
    if (asking) return none("?");
    const old = before[now]?.find(([slot]) => slot == 1);
    const known = old && (inside(old[1]) || []).map(String);
    return some(held(1), "empty", (entry, i) => {
      const [task, label, reason] = entry;
      const made = item(task, dim(i + 1 + ". "), who(task, label), " ", dim(reason));
      made.title = reason;
      if (known && !known.includes(String(entry))) made.className += " new";
      return made;
    });
  });
  const drawTimers = () => {
    const time = steps[now][TIME];
    show("timers", scene[2] + "," + time, () => some(held(2), "none", ([when, label, task]) => {
      const wait = when > time ? `in ${seconds(when - time)}` : time - when > 1e-9 ? `due, ${seconds(time - when)} late` : "due now";
      return item(task, el("b", "", seconds(when)), " ", dim(wait), " ", code(label), ...(task === null ? [] : [" ", badge(task, "o")]));
    }));
  };
  const drawSelector = () => show("selector", scene[3], () => some(held(3), "nothing", ([label, events, task]) =>
    item(task, code(label), " ", dim(events), ...(task === null ? [] : [" ", badge(task, "o")]))));
  const drawPrinted = () => show("printed", scene[4], () => {
    const lines = printed.slice(Math.max(0, scene[4] - 60), scene[4]);
    return some(lines, "nothing yet", ([text, task]) => item(task, code(text), ...(task === null ? [] : [" ", badge(task, "f")])));
  });

  // The frame a reader cares for: the innermost one that is not the library's.
  const own = (i) => Math.max(framesOf(i).findLastIndex(([id]) => !sources[id][2]), 0);
  const subject = () => {
    if (framesOf(followed).length) return followed;
    const running = asking ? null : held(0);
    if (running && framesOf(running[0]).length) return running[0];
    for (let n = now; n > 0; n--) for (const i of steps[n].slice(TASK, CAUSE + 1)) if (framesOf(i).length) return i;
    return -1;
  };
  const focus = () => {
    if (chosen && framesOf(chosen[0])[chosen[1]]) return chosen;
    const i = subject();
    return i < 0 ? null : [i, own(i)];
  };
  const stateOf = (i) => {
    const [state, waits, on, , result, error] = taskOf(i);
    const veiled = asking && state != RUNNING && state < DONE;
    const words = [set(el("span", "sw s" + (veiled ? WAITING : state), signs[state]), { style: color(i) }), veiled ? "ready, or waits?" : stateWords[state]];
    const more = state == WAITING ? waits : state == DONE ? result : state > DONE && error;
    if (more && !veiled) words.push(" ", code(more));
    if (state == WAITING && on && on != waits && !veiled) words.push(" ", dim(on));
    return words;
  };
  const counted = (lane) => {
    const found = Array(8).fill(0);
    for (const i of lane.members) if (taskOf(i)) found[taskOf(i)[0]]++;
    const told = asking ? [lane.members.filter(isLive).length + " alive"] : found.map((n, state) => n && `${n} ${stateWords[state]}`).filter(Boolean);
    return [lane.name + ": " + told.join(" · ")];
  };
  const drawRow = (lane) => {
    const { members } = lane;
    const many = members.length > 1;
    const i = [followed, ...steps[now].slice(TASK, CAUSE + 1)].find((each) => members.includes(each) && taskOf(each)) ?? members.find(isLive) ?? members[0];
    const name = button(badge(i, many && followed != i ? "o" : ""), "follow " + names[i], () => pick(followed == i ? -1 : i));
    const mine = chosen?.[0] == i && framesOf(i)[chosen[1]] ? chosen[1] : own(i);
    const cells = [[name], many ? counted(lane) : stateOf(i), [], []];
    framesOf(i).forEach(([id, line], depth) => {
      const place = sources[id][0] + ":" + line;
      const link = button(place, "show " + place, () => ((chosen = [i, depth]), draw()), "k");
      cells[2].push(depth ? " › " : "", set(link, { "aria-pressed": depth == mine }));
    });
    for (const [key, text, changed] of framesOf(i)[mine]?.[2] || []) cells[3].push(el("span", changed ? "k ch" : "k", (changed ? "•" : "") + key + "=" + text), " ");
    const made = item(i, ...cells.map((kids) => el("div", "", ...kids)));
    made.className = "tr" + (followed == i ? " fol" : "");
    for (const part of made.children) if (part != made.firstChild) part.title = part.textContent;
    return made;
  };
  const drawTasks = () => {
    const some = lanes.length < names.length ? now : scene.slice(TASKS);
    show("tasks", [asking, followed, chosen, some].join(), () => lanes.filter((lane) => lane.members.some(taskOf)).map(drawRow));
  };

  // The source: of one file all functions that are shown. A line's place is its number times its height.
  const sheets = pages.map(([file, blocks]) => ({ file, blocks }));
  const layOut = (sheet) => {
    sheet.node = el("div");
    sheet.lines = new Map();
    for (const [first, texts] of sheet.blocks) {
      if (sheet.lines.size) sheet.node.append(el("div", "ln d", el("span", "n", "⋯")));
      texts.forEach((text, i) => {
        const node = el("div", "ln", el("span", "n", first + i), code(text), el("span", "bs"));
        sheet.lines.set(first + i, { node, place: sheet.node.children.length, key: "" });
        sheet.node.append(node);
      });
    }
  };
  let [marked, narrow] = [null, false];
  const drawSource = () => {
    const spot = focus();
    const [id, line] = (spot && framesOf(spot[0])[spot[1]]) || [];
    const [sheetNumber, at] = steps[now][SPOT] && !chosen && !asking && followed < 0 ? steps[now][SPOT] : spot ? [sources[id][1], line] : [sources.find((source) => !source[2])?.[1]];
    const sheet = sheets[sheetNumber];
    marked?.classList.remove("cur");
    if (!sheet) return (heads.source.lastChild.textContent = ""), show("source", "", () => none("no function is running or suspended"));
    if (!sheet.node) layOut(sheet);
    heads.source.lastChild.textContent = sheet.file;
    show("source", sheetNumber, () => [sheet.node]);
    const running = asking ? null : held(0);
    const wanted = new Map();
    names.forEach((_, i) => isLive(i) && framesOf(i).forEach(([each, number], depth) => {
      if (sources[each][1] != sheetNumber) return;
      const found = wanted.get(number) || wanted.set(number, []).get(number);
      const mine = depth == own(i) || (spot && i == spot[0] && depth == spot[1]);
      if (!found.some(([other]) => other == i)) found.push([i, mine ? (running?.[0] === i ? "" : "o") : "f"]);
    }));
    for (const [number, entry] of sheet.lines) {
      const found = wanted.get(number) || [];
      const key = found.join();
      if (entry.key == key) continue;
      entry.key = key;
      entry.node.lastChild.replaceChildren(...found.slice(0, 6).map(([i, kind]) => set(badge(i, kind), { "data-task": i })), found.length > 6 ? "+" + (found.length - 6) : "");
    }
    const goal = sheet.lines.get(at);
    marked = goal?.node;
    marked?.classList.add("cur");
    const room = Math.floor(((narrow ? 232 : 271) - 22) / LINE);
    const top = goal ? goal.place - Math.floor(room / 2) : 0;
    const scroll = Math.max(0, Math.min(top, sheet.node.children.length - room)) * LINE;
    if (drawn.scroll !== sheetNumber + "," + scroll) panels.source.scrollTop = scroll;
    drawn.scroll = sheetNumber + "," + scroll;
  };

  // -- the timeline: a strip for the loop, a lane for each task, the playhead
  const unique = "lmf" + Math.random().toString(36).slice(2);
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  bodies.timeline.append(set(svg, { role: "img", "aria-label": "what each task did, step by step" }));
  let [axis, width] = ["steps", 1000];
  const axisButton = button("axis: steps", "axis in steps or in time", () => {
    axis = axis == "steps" ? "time" : "steps";
    axisButton.textContent = "axis: " + axis;
    draw();
  });
  heads.timeline.append(...(onLoop ? [RUNNING, READY, WAITING] : [RUNNING, WAITING]).map((state) => el("span", "lg", el("span", "sw s" + state), stateWords[state].split(" ")[0])), ...(duration ? [axisButton] : []));
  const escaped = (text) => text.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);
  // What is drawn around the playhead: the first and the last step, where a step stands, and how wide it is.
  const view = () => {
    const room = Math.max(width - LEFT - 24, 60);
    if (axis == "time") return [0, LAST, (n) => LEFT + (room * steps[Math.min(n, LAST)][TIME]) / duration, 0];
    const fits = Math.max(8, Math.floor(room / 11));
    const half = fits >> 1;
    const from = LAST < fits ? 0 : Math.max(0, Math.min(Math.floor(now / half) * half - (half >> 1), LAST + 1 - fits));
    const end = Math.min(LAST, from + fits - 1);
    const unit = Math.min(room / (end - from + 1), 44);
    return [from, end, (n) => LEFT + (n - from) * unit, unit];
  };
  const until = (spans, k) => (k + 1 < spans.length ? spans[k + 1][0] : LAST + 1);
  const within = (spans, from, to) => {
    let k = 0;
    for (let high = spans.length; k < high; ) {
      const middle = (k + high) >> 1;
      if (until(spans, middle) <= from) k = middle + 1;
      else high = middle;
    }
    const found = [];
    for (; k < spans.length && spans[k][0] <= to; k++) found.push(k);
    return found;
  };
  const drawTimeline = () => {
    const [from, end, x, unit] = view();
    const to = predicting ? Math.min(now, end) : end;
    const top = (lane) => 1 + H * (lane + 1);
    const bottom = top(lanes.length);
    const key = [from, to, end, width, axis, asking, predicting].join();
    if (drawn.timeline !== key) {
      drawn.timeline = key;
      const parts = [];
      const right = (n) => x(Math.min(n, end + 1));
      const rect = (cls, a, b, y, height, more = "") => parts.push(`<rect class="${cls}" x="${a.toFixed(1)}" y="${y}" width="${Math.max(b - a, /x1|call/.test(cls) ? 2 : 0).toFixed(1)}" height="${height}" ${more}/>`);
      const text = (cls, place, y, words) => parts.push(`<text class="${cls}" x="${place.toFixed(1)}" y="${y}">${escaped(words)}</text>`);
      parts.push("<defs>");
      for (const { hue } of lanes.slice(0, 7)) parts.push(`<pattern id="${unique + hue}" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="2" height="5" style="fill:var(--t${hue})"/></pattern>`);
      parts.push("</defs>");
      if (onLoop) {
        text("", 0, 13, "event loop");
        rect("idle", x(from), right(end + 1), 3, 12);
        for (const k of within(runs, from, to)) {
          const [n, i] = runs[k];
          if (i !== null) rect(i < 0 ? "call" : "x1", x(Math.max(n, from)), right(Math.min(until(runs, k), to + 1)), 3, 12, i < 0 ? "" : `style="${color(i)}"`);
        }
      }
      lanes.forEach(({ name, spans, members }, l) => {
        const y = top(l) + 2;
        parts.push(`<g data-task="${members[0]}" style="${color(members[0])}">`);
        if (spans[0]?.[0] <= to) text("nm", 0, y + 10, name.length > 13 ? name.slice(0, 12) + "…" : name);
        for (const k of within(spans, from, to)) {
          const [n, state] = spans[k];
          const stop = until(spans, k);
          const [a, b] = [x(Math.max(n, from)), right(Math.min(stop, to + 1))];
          if (state == RUNNING) rect("x1", a, b, y, 13);
          else if (state == READY && !(asking && stop > to)) rect("x0", a, b, y + 0.5, 12, `fill="url(#${unique + lanes[l].hue})"`);
          else if (state < 3) rect("x2", a, b, y + 3, 7);
          else if (state >= DONE && n >= from) text("end", a + 3, y + 11, signs[state]);
        }
        parts.push("</g>");
      });
      let [labelled, last] = [-99, -1];
      for (let n = from; n <= to; n++) {
        const [kind, time, , i, cause] = steps[n];
        const here = x(n);
        const secret = () => // who is ready is the answer
           asking && taskOf(i)[0] == READY && lanes[laneOf[i]].spans.findLast((span) => span[0] <= to)[0] <= n;
        if (i !== null && cause !== null && wakes.includes(kind) && laneOf[cause] != laneOf[i] && !secret()) {
          const down = laneOf[cause] < laneOf[i];
          const [y, tip] = [top(laneOf[cause]) + 8, down ? -4 : 4];
          const m = (here + unit / 2).toFixed(1);
          parts.push(`<path class="stem" d="M${m} ${y}V${top(laneOf[i]) + (down ? 1 : 16)}m-3 ${tip}l3 ${-tip}l3 ${tip}"/><circle class="dot" cx="${m}" cy="${y}" r="2.2"/>`);
        }
        if (onLoop && time !== last && here - labelled > 56 && here < width - 20) text("", (labelled = here), bottom + 12, seconds(time));
        last = time;
      }
      parts.push(`<rect class="now" y="0" height="${bottom}"/><path class="pin"/>`);
      set(svg, { viewBox: `0 0 ${width} ${bottom + 16}` }).style.height = bottom + 16 + "px";
      svg.innerHTML = parts.join("");
    }
    const pin = svg.lastChild;
    set(pin.previousSibling, { x: x(now), width: unit });
    set(pin, { d: `M${x(now) + unit / 2} 0V${bottom}` });
    if (lanes.length > 8 && steps[now][TASK] !== null) panels.timeline.scrollTop = Math.max(0, top(laneOf[steps[now][TASK]]) - H * 5);
  };
  const seekAt = (event) => {
    const box = svg.getBoundingClientRect();
    const place = ((event.clientX - box.left) * width) / box.width;
    const [from, end, x] = view();
    let n = from;
    while (n < end && x(n + 1) <= place) n++;
    seek(n);
  };
  svg.onpointerdown = (event) => (svg.setPointerCapture(event.pointerId), seekAt(event));
  svg.onpointermove = (event) => event.buttons && seekAt(event);

  // -- prediction: wherever the loop chooses, the reader says first which task runs next
  const answers = new Map(); // step: [whether it was right, whether it counts]
  const isOpen = (n) => choices.includes(steps[n][KIND]) && !steps[n][NESTED] && !answers.has(n);
  const quiz = (on) => {
    predicting = on;
    asking = 0;
    set(predict, { "aria-pressed": on });
    draw();
  };
  const answer = (said) => {
    const n = asking;
    answers.set(n, [said === (steps[n][TASK] ?? -1), !hinted]);
    root.focus({ preventScroll: true });
    seek(n);
  };
  const drawQuestion = () => {
    const scores = [...answers.values()].filter((each) => each[1]);
    score.textContent = predicting && scores.length ? `${scores.filter((each) => each[0]).length} of ${scores.length} right` : "";
    ask.hidden = !asking;
    panels.running.hidden = !!asking;
    panels.ready.hidden = !!asking || !onLoop;
    root.toggleAttribute("data-asking", !!asking);
    if (drawn.ask === asking + "," + hinted) return;
    drawn.ask = asking + "," + hinted;
    ask.replaceChildren();
    if (!asking) return;
    const live = names.map((_, i) => i).filter(isLive).map((i) => set(button(badge(i), "predict " + names[i], () => answer(i)), { "data-task": i }));
    const queue = held(1).slice(0, 9).flatMap(([task, label]) => [who(task, label), " "]);
    ask.append(
      el("div", "", ...live, button("no task: the loop sleeps", "predict: no task, the loop sleeps", () => answer(-1))),
      hinted ? dim("Ready queue, next first: ", ...(queue.length ? queue : ["empty. "]), "(not counted)") : button("hint: show the queue", "show the queue; the answer then does not count", () => ((hinted = true), draw())),
    );
  };
  const drawSentence = () => {
    const verdict = predicting && !asking && answers.get(now);
    show("sentence", [asking, !!verdict, now].join(), () => {
      if (asking) return [el("b", "", "Which task runs next?"), " Look where each task is suspended, and at the timers."];
      const said = rich(inside(steps[now][SENTENCE]));
      if (!now) said.push(dim(" Press step ▶."));
      if (!verdict) return said;
      const old = before[now].find(([slot]) => slot == 1);
      const first = old && inside(old[1])[0];
      return [verdict[0] ? el("b", "ok", "✓ Right. ") : el("b", "no", "✕ Not this one. "), ...said, ...(first ? [" Why it was ready: ", first[2], "."] : [])];
    });
  };

  // -- steps
  const draw = () => {
    const [, time, turn] = steps[now];
    set(root, { "data-step": now });
    slider.value = now;
    set(slider, { "aria-valuetext": `step ${now} of ${LAST}` });
    count.textContent = `step ${now} / ${LAST}` + (turn ? " · turn " + turn : "") + (onLoop ? " · " + seconds(time) : "");
    for (const each of [drawSentence, drawQuestion, drawRunning, drawReady, drawTimers, drawSelector, drawPrinted, drawTasks, drawSource, drawTimeline]) each();
    if (scene[4]) panels.printed.scrollTop = 1e6;
  };
  const seek = (n) => {
    n = Math.max(0, Math.min(n, LAST));
    asking = 0;
    hinted = false;
    for (let k = now + 1; predicting && k <= n && !asking; k++) if (isOpen(k)) asking = k;
    if (asking) play(false), (n = asking - 1);
    if (n != now) chosen = null;
    move(n);
    draw();
  };
  const pick = (i) => {
    followed = i < names.length ? i : -1;
    follow.value = followed;
    chosen = null;
    draw();
  };
  const hop = (way) => {
    const i = followed < 0 ? steps[now][TASK] ?? subject() : followed;
    for (let n = now + way; steps[n]; n += way) if (steps[n][TASK] === i) return seek(n);
  };
  let ticking = 0;
  const play = (on) => {
    clearInterval(ticking);
    ticking = 0;
    if (on && now == LAST) seek(0);
    if (on) ticking = setInterval(() => (root.isConnected && now < LAST ? seek(now + 1) : play(false)), 900 / speed.value);
    playing.textContent = ticking ? "❚❚ pause" : "▶ play";
    set(bodies.sentence, { "aria-live": ticking ? "off" : "polite" });
  };

  // -- keys: they stay inside the player
  root.onkeydown = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    event.stopPropagation();
    const { key } = event;
    const on = event.target.tagName;
    if (on == "SELECT" || (on == "BUTTON" && /^( |Enter)$/.test(key))) return;
    const acts = { ArrowLeft: () => seek(now - 1), ArrowRight: () => seek(now + 1), Home: () => seek(0), End: () => seek(LAST), " ": () => play(!ticking), "[": () => hop(-1), "]": () => hop(1), p: () => onLoop && quiz(!predicting) };
    const act = acts[key] || (/^[1-9]$/.test(key) && (() => pick(followed == key - 1 ? -1 : key - 1)));
    if (act) event.preventDefault(), act();
  };

  // -- light or dark: as the ground the player stands on, which JupyterLab may change at any time
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  const shade = () => {
    let dark = scheme.matches;
    for (let node = root.parentElement; node; node = node.parentElement) {
      const [red, green, blue, alpha = 1] = getComputedStyle(node).backgroundColor.match(/[\d.]+/g) || [];
      if (!(alpha > 0.5)) continue;
      dark = 0.3 * red + 0.6 * green + 0.1 * blue < 128;
      break;
    }
    root.toggleAttribute("data-dark", dark);
  };
  scheme.addEventListener("change", shade);
  const watch = new MutationObserver(() => setTimeout(shade, 50));
  for (const node of [document.documentElement, document.body]) watch.observe(node, { attributes: true });
  watch.observe(document.head, { childList: true });

  // -- printing: the picture, and the steps as a list
  const paper = el("div");
  const print = (on) => {
    paper.remove();
    if (!on) return;
    const told = steps.slice(0, predicting ? now + 1 : LAST + 1).map((step) => el("li", "", plain(inside(step[SENTENCE]))));
    paper.replaceChildren(...(predicting ? [] : still.filter((node) => node.nodeName == "IMG")), set(el("ol", "", ...told), { start: 0 }));
    root.append(paper);
  };
  addEventListener("beforeprint", () => print(true));
  addEventListener("afterprint", () => print(false));
  matchMedia("print").addEventListener("change", (event) => print(event.matches));

  new ResizeObserver(([entry]) => {
    const wide = Math.round(panels.timeline.clientWidth - 16);
    narrow = entry.contentRect.width <= 720;
    if (wide > 0 && wide != width) (width = wide), draw();
  }).observe(root);
  shade();
  play(false);
  move(options.at);
  quiz(options.predict);
}
