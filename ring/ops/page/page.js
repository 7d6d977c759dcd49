// The status page: draws the pictures of the ring that the node sends. Nothing from outside is ever read as markup.
"use strict";

const SVG = "http://www.w3.org/2000/svg";
const CENTRE = 200;
const RADIUS = 138;
const MEMBER = 27;
const PAST_MS = 300000; // charts go back so far, and begin with less
const PAST_MS_LEAST = 60000;
const GAP_MS = 12000; // a line does not bridge more than that
const LAPS_SHOWN_MAX = 0.4; // a second; faster laps are drawn slower than they are
const RETRY_MS = 5000;

const at = (id) => document.getElementById(id);
const still = matchMedia("(prefers-reduced-motion: reduce)");
let points = [];
let shown = null; // the newest picture that was drawn
let paused = false;

// ---- words and numbers ----------------------------------------------------------------------------------------

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const number = (value) => (value == null ? "–" : whole.format(value));
function short(value) {
  if (value == null) return "–";
  return value >= 10 || Number.isInteger(value) ? number(value) : value.toFixed(value < 1 ? 2 : 1);
}
function time(ms) {
  if (ms == null) return "–";
  if (ms >= 1000) return (ms / 1000).toFixed(ms < 10000 ? 1 : 0) + " s";
  return (ms < 1 ? ms.toFixed(2) : ms < 10 ? ms.toFixed(1) : ms.toFixed(0)) + " ms";
}
function size(bytes) {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  for (; bytes >= 1024 && unit < units.length - 1; ++unit) bytes /= 1024;
  return (unit === 0 ? number(bytes) : bytes.toFixed(1)) + " " + units[unit];
}
function span(ms) {
  const seconds = Math.floor(ms / 1000);
  const parts = [["d", 86400], ["h", 3600], ["m", 60], ["s", 1]];
  const first = parts.findIndex(([, length]) => seconds >= length);
  if (first < 0) return "0 s";
  let rest = seconds;
  return parts.slice(first, first + 2).map(([unit, length]) => {
    const count = Math.floor(rest / length);
    rest -= count * length;
    return count + " " + unit;
  }).join(" ");
}
const list = (ids) => (ids.length === 0 ? "none" : ids.join(", "));
const nodes = (ids) => (ids.length === 1 ? "node " : "nodes ") + list(ids);

function make(parent, tag, attributes, text) {
  const svg = parent.namespaceURI === SVG;
  const element = svg ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) element.setAttribute(name, value);
  if (text != null) element.textContent = text;
  parent.append(element);
  return element;
}
function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// ---- what the picture says ------------------------------------------------------------------------------------

/// The ring as the node in the newest epoch sees it.
function ringOf(picture) {
  const all = picture.nodes.map((node) => node.id);
  const talking = picture.nodes.filter((node) => node.answers);
  const inRing = talking.filter((node) => node.status.state === "operational");
  const newest = inRing.reduce((best, node) => (best && best.status.epoch >= node.status.epoch ? best : node), null);
  const members = newest ? newest.status.members : [];
  const holder = inRing.find((node) => node.status.epoch === newest.status.epoch && node.status.holder);
  const alive = members.filter((id) => talking.some((node) => node.id === id));
  const token = picture.token && newest && picture.token.epoch === newest.status.epoch ? picture.token : null;
  return {
    all, members, alive, token,
    epoch: newest ? newest.status.epoch : null,
    gone: all.filter((id) => !alive.includes(id)),
    holder: holder ? holder.id : null,
    parked: Boolean(holder && holder.status.parked),
    serving: inRing.some((node) => node.status.taking_pushes),
  };
}
function healthOf(ring) {
  if (ring.members.length === 0) return ["bad", "no majority"];
  if (ring.gone.length > 0) return ["warn", ring.alive.length + " of " + ring.all.length + " nodes"];
  return ring.serving ? ["good", "healthy"] : ["warn", "not serving"];
}

// ---- the ring -------------------------------------------------------------------------------------------------

const angleOf = (ring, id) => (ring.all.indexOf(id) / ring.all.length) * 2 * Math.PI - Math.PI / 2;
const placeAt = (angle, radius) => [CENTRE + radius * Math.cos(angle), CENTRE + radius * Math.sin(angle)];

function drawArcs(ring) {
  const arcs = at("arcs");
  arcs.replaceChildren();
  ring.members.forEach((id, index) => {
    const from = angleOf(ring, id);
    const next = ring.members[(index + 1) % ring.members.length];
    const turn = (angleOf(ring, next) - from + 4 * Math.PI) % (2 * Math.PI) || 2 * Math.PI - 0.001;
    const [x1, y1] = placeAt(from, RADIUS);
    const [x2, y2] = placeAt(from + turn, RADIUS);
    const large = turn > Math.PI ? 1 : 0;
    make(arcs, "path", { class: "arc", d: `M${x1} ${y1}A${RADIUS} ${RADIUS} 0 ${large} 1 ${x2} ${y2}` });
  });
}

function drawMember(ring, node, open) {
  const gone = ring.gone.includes(node.id);
  const [x, y] = placeAt(angleOf(ring, node.id), gone ? RADIUS + 20 : RADIUS);
  const kind = gone ? "gone" : ring.parked && ring.holder === node.id ? "holder" : "in";
  const group = make(at("members"), "g", { class: "member " + kind, transform: `translate(${x} ${y})` });
  group.dataset.node = node.id;
  make(group, "circle", { class: "body", r: MEMBER });
  make(group, "text", { y: 0 }, String(node.id));
  const said = node.answers ? node.status.state : "silent";
  make(group, "text", { y: 15, class: "small" }, gone ? (said === "operational" ? "alone" : said) : "");
  if (gone || !open) {
    if (!gone) group.children[1].setAttribute("y", 7);
    return;
  }
  group.children[1].setAttribute("y", 7);
  if (open.votes.includes(node.id)) {
    make(group, "circle", { class: "badge_vote", cx: 21, cy: -21, r: 9 });
    make(group, "path", { class: "tick", d: "M17 -21l3 3l5 -6" });
  }
  const bid = open.bids.find((one) => one.node === node.id);
  if (bid) {
    make(group, "circle", { class: "badge_bid", cx: -21, cy: -21, r: 10 });
    make(group, "text", { class: "bid_text", x: -21, y: -17 }, bid.frames > 99 ? "99+" : String(bid.frames));
  }
}

function roundText(ring, picture) {
  const sentences = [];
  if (ring.members.length === 0) return "No node is in a ring with a majority; clients are refused.";
  if (ring.parked) sentences.push(`The token is parked at node ${ring.holder}: nobody has work.`);
  const hops = picture.point.hops;
  if (!ring.parked && hops > 0) {
    const laps = hops / ring.members.length;
    const slower = laps / LAPS_SHOWN_MAX;
    sentences.push(`The token makes ${short(hops)} hops a second` +
      (slower > 1.5 && !still.matches ? `, drawn ${number(slower)} times slower.` : "."));
  }
  const open = ring.token && !ring.parked ? ring.token.open : null;
  if (open) {
    const bids = open.bids.map((bid) => `${bid.frames} of node ${bid.node}`);
    sentences.push(`A round is open, begun by node ${open.opener}; voted: ${list(open.votes)}; frames bid: ${list(bids)}.`);
  }
  return sentences.join(" ");
}

function drawRing(ring, picture) {
  const open = ring.token && !ring.parked ? ring.token.open : null;
  drawArcs(ring);
  at("members").replaceChildren();
  for (const node of picture.nodes) drawMember(ring, node, open);
  put(at("centre_1"), ring.epoch == null ? "no ring" : "epoch " + number(ring.epoch));
  const tops = picture.nodes.filter((node) => node.answers).map((node) => node.status);
  const round = tops.reduce((most, status) => Math.max(most, status.round), 0);
  const sequence = tops.reduce((most, status) => Math.max(most, status.sequence), 0);
  put(at("centre_2"), `${number(sequence)} messages, ${number(round)} rounds`);
  const text = roundText(ring, picture);
  put(at("round"), text);
  const gone = ring.gone.length > 0 ? ` Gone: ${nodes(ring.gone)}.` : "";
  put(at("picture_text"), ring.members.length > 0 ? `A ring of ${nodes(ring.alive)}.${gone} ${text}` : text + gone);
}

// ---- the token's way ------------------------------------------------------------------------------------------

const token = { at: 0, last: 0, frame: 0 }; // `at`: which member it is at or behind, with a fraction

function tokenAngle(ring) {
  const members = ring.members;
  const index = Math.floor(token.at) % members.length;
  const from = angleOf(ring, members[index]);
  const to = angleOf(ring, members[(index + 1) % members.length]);
  const turn = (to - from + 4 * Math.PI) % (2 * Math.PI) || (members.length === 1 ? 0 : 2 * Math.PI);
  return from + turn * (token.at % 1);
}
function placeToken(ring) {
  const [x, y] = placeAt(tokenAngle(ring), RADIUS - MEMBER - 14);
  for (const id of ["token", "token_glow"]) {
    at(id).setAttribute("cx", x);
    at(id).setAttribute("cy", y);
  }
}
/// How the token is drawn: `speed` in members a second, or where it rests.
function tokenMotion(ring, picture) {
  const hops = picture.point.hops || 0;
  const rests = ring.parked || hops < 0.2;
  const rest = ring.holder != null ? ring.members.indexOf(ring.holder) : -1;
  if (rests || still.matches) return { speed: 0, rest };
  return { speed: Math.min(hops, LAPS_SHOWN_MAX * ring.members.length), rest: -1 };
}
function turnToken(now) {
  token.frame = 0;
  if (!shown || paused) return;
  const { ring, picture } = shown;
  const length = ring.members.length;
  const motion = tokenMotion(ring, picture);
  const passed = Math.min((now - token.last) / 1000, 0.1);
  token.last = now;
  token.at %= length;
  let moves = motion.speed > 0;
  if (moves) {
    token.at += motion.speed * passed;
  } else if (motion.rest >= 0) {
    const left = (motion.rest - token.at + length) % length;
    const step = 1.5 * passed * Math.max(left, 1);
    moves = !still.matches && left > step && length - left > 0.02;
    token.at = moves ? token.at + step : motion.rest;
  }
  placeToken(ring);
  if (moves) token.frame = requestAnimationFrame(turnToken);
}
function moveToken(ring) {
  const known = ring.members.length > 0;
  at("token").toggleAttribute("hidden", !known);
  at("token_glow").toggleAttribute("hidden", !known);
  if (!known || token.frame) return;
  token.last = performance.now();
  token.frame = requestAnimationFrame(turnToken);
}

// ---- charts ---------------------------------------------------------------------------------------------------

const CHARTS = [
  { title: "Messages a second", keys: ["messages"], text: short },
  { title: "Ack latency, p50 and p99", keys: ["ack_p50", "ack_p99"], text: time, least: 1 },
  { title: "Lap of the token", keys: ["lap"], text: time, least: 1 },
  { title: "fsync of the journal", keys: ["fsync"], text: time, least: 1 },
  { title: "Queue: taken, not yet written", keys: ["queue"], text: short },
];
function makeCharts() {
  for (const chart of CHARTS) {
    const figure = make(at("charts"), "figure", { class: "chart" });
    const caption = make(figure, "figcaption");
    make(caption, "span", {}, chart.title);
    chart.value = make(caption, "span", { class: "value" });
    chart.svg = document.createElementNS(SVG, "svg");
    figure.append(chart.svg);
    for (const [name, value] of [["viewBox", "0 0 300 60"], ["preserveAspectRatio", "none"], ["role", "img"]]) {
      chart.svg.setAttribute(name, value);
    }
    make(chart.svg, "line", { class: "base", x1: 0, x2: 300, y1: 60, y2: 60 });
    chart.lines = chart.keys.map((_, index) => make(chart.svg, "path", { class: "line_" + (index + 1) }));
    const scale = make(figure, "div", { class: "scale" });
    chart.since = make(scale, "span");
    chart.top = make(scale, "span");
    make(scale, "span", {}, "now");
  }
}
function niceTop(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value);
}
function pathOf(key, now, top, past) {
  let path = "";
  let before = null;
  for (const point of points) {
    if (point[key] == null) continue;
    const x = (300 * (1 - (now - point.t) / past)).toFixed(1);
    const y = (60 - 56 * Math.min(point[key] / top, 1)).toFixed(1);
    path += before != null && point.t - before < GAP_MS ? `L${x} ${y}` : `M${x} ${y}h0.01`;
    before = point.t;
  }
  return path;
}
function drawCharts() {
  const now = points.length > 0 ? points[points.length - 1].t : Date.now();
  const known = points.length > 0 ? now - points[0].t : 0;
  const past = Math.min(Math.max(60000 * Math.ceil(known / 60000), PAST_MS_LEAST), PAST_MS);
  const since = past > 60000 ? past / 60000 + " minutes ago" : "a minute ago";
  for (const chart of CHARTS) {
    const values = points.flatMap((point) => chart.keys.map((key) => point[key])).filter((value) => value != null);
    const top = niceTop(Math.max(chart.least || 5, ...values));
    put(chart.since, since);
    put(chart.top, "scale up to " + chart.text(top));
    const latest = chart.keys.map((key) => {
      const last = points.findLast((point) => point[key] != null && now - point.t < GAP_MS);
      return chart.text(last ? last[key] : null);
    });
    if (chart.value.textContent !== latest.join(" · ")) {
      chart.value.replaceChildren();
      latest.forEach((text, index) => {
        if (index > 0) chart.value.append(" · ");
        make(chart.value, "span", chart.keys.length > 1 ? { class: index ? "second" : "first" } : {}, text);
      });
    }
    const most = values.length > 0 ? chart.text(Math.max(...values)) : "nothing";
    chart.svg.setAttribute("aria-label", `${chart.title}: now ${latest.join(" and ")}, at most ${most} since ${since}`);
    chart.lines.forEach((line, index) => line.setAttribute("d", pathOf(chart.keys[index], now, top, past)));
  }
}
function keepPoint(point) {
  points.push(point);
  while (points.length > 0 && point.t - points[0].t > PAST_MS) points.shift();
}

// ---- tables and texts -----------------------------------------------------------------------------------------

function drawNodes(ring, picture) {
  const rows = picture.nodes.map((node) => {
    const row = document.createElement("tr");
    row.className = ring.gone.includes(node.id) ? "gone" : "";
    row.dataset.node = node.id;
    make(row, "th", { scope: "row" }, String(node.id));
    if (!node.answers) {
      make(row, "td", {}, "no answer");
      make(row, "td", { colspan: 9 });
      return row;
    }
    const status = node.status;
    make(row, "td", {}, status.state + (status.taking_pushes ? "" : ", refuses clients"));
    make(row, "td", {}, status.holder ? (status.parked ? "parked here" : "here") : "");
    for (const text of [number(status.epoch), number(status.round), number(status.durable_round),
      number(status.pending_messages), number(node.acks), number(node.rejects + node.busys), number(status.clients),
      span(status.uptime_ms)]) {
      make(row, "td", { class: "number" }, text);
    }
    return row;
  });
  at("nodes").tBodies[0].replaceChildren(...rows);
}
function drawOutput(output) {
  put(at("output_bytes"), size(output.bytes));
  const box = at("output");
  const text = output.lines.join("\n");
  if (box.dataset.text === text) return;
  box.dataset.text = text;
  const follows = box.scrollTop + box.clientHeight >= box.scrollHeight - 20;
  box.replaceChildren();
  for (const line of output.lines) {
    const separator = /^#+$/.test(line);
    make(box, "span", separator ? { class: "separator" } : {}, line);
  }
  if (output.lines.length === 0) make(box, "span", { class: "separator" }, "Nothing was written yet.");
  if (follows) box.scrollTop = box.scrollHeight;
}
function drawViews(views) {
  const key = views.map((view) => view.epoch + view.why).join();
  if (at("views").dataset.key === key) return;
  at("views").dataset.key = key;
  at("views").replaceChildren();
  for (const view of views.slice().reverse()) {
    const item = make(at("views"), "li");
    const when = new Date(view.wall_ms);
    make(item, "time", { datetime: when.toISOString(), class: "quiet" }, when.toLocaleTimeString());
    make(item, "span", {}, "epoch " + number(view.epoch));
    make(item, "span", {}, nodes(view.members));
    make(item, "span", {}, view.why);
  }
}
function draw(picture) {
  const ring = ringOf(picture);
  shown = { ring, picture };
  const [kind, word] = healthOf(ring);
  at("health").className = "pill " + kind;
  put(at("health"), word);
  put(at("served"), `as seen from node ${picture.served_by}`);
  put(at("version"), `Anel ${picture.version}`);
  document.title = `Anel: ${word}`;
  drawRing(ring, picture);
  moveToken(ring);
  drawCharts();
  drawNodes(ring, picture);
  drawOutput(picture.output);
  drawViews(picture.views);
}

// ---- the stream -----------------------------------------------------------------------------------------------

let source = null;
let news = null;
function notice(text) {
  put(at("notice"), text);
  at("notice").hidden = text === "";
}
function lost(text) {
  notice(text);
  at("health").className = "pill";
  put(at("health"), "no news");
}
function hear() {
  clearTimeout(news);
  notice("");
  news = setTimeout(() => lost("The node sends nothing; what is shown is old."), RETRY_MS);
}
/// EventSource does not tell why it was refused; asking once more does.
async function findOutWhy() {
  const stop = new AbortController();
  try {
    const answer = await fetch("/events", { signal: stop.signal });
    if (!answer.ok) lost((await answer.text()).trim());
  } catch (error) {
    lost("The node does not answer; trying again.");
  }
  stop.abort();
  setTimeout(connect, RETRY_MS);
}
function connect() {
  if (source || document.hidden) return;
  source = new EventSource("/events");
  source.addEventListener("past", (event) => {
    points = JSON.parse(event.data);
  });
  source.addEventListener("picture", (event) => {
    hear();
    const picture = JSON.parse(event.data);
    keepPoint(picture.point);
    if (!paused) draw(picture);
  });
  source.addEventListener("error", () => {
    if (source.readyState !== EventSource.CLOSED) {
      lost("The node does not answer; trying again.");
      return;
    }
    disconnect();
    findOutWhy();
  });
}
function disconnect() {
  if (source) source.close();
  source = null;
  clearTimeout(news);
}

at("pause").addEventListener("click", () => {
  paused = !paused;
  at("pause").setAttribute("aria-pressed", String(paused));
});
// A page that nobody sees costs nothing.
document.addEventListener("visibilitychange", () => (document.hidden ? disconnect() : connect()));
makeCharts();
connect();
