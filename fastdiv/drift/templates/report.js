"use strict";
// What there is of a column (embedded.py); texts are numbers in base 32, see `unpack`:
// a, b  shares of the bins, j what each adds to JS², in 1000ths; h  heights of the bars; n  numbers of values
// k  ranks to sort by; l  labels of categories; x  ends of bins, p  decimal places of ends, t  they are seconds
// e  what the bars run from and to; w  W1, and the area that is drawn if that is another; d, u  values beyond the
// baseline's range: least and mean, mean and greatest; o  bins not shown, or bins to a piece; r  last bar: the rest; c  the measures that moved; s  told
(() => {
const data = JSON.parse(document.getElementById("data").textContent);
const table = document.getElementById("columns"), body = table.tBodies[0];
const rows = [...body.rows], heads = [...table.tHead.rows[0].cells];
const NS = document.getElementById("svg").namespaceURI;
const el = (name, attrs = {}, text) => {
  const e = document.createElementNS(NS, name);
  for (const k in attrs) e.setAttribute(k, attrs[k]);
  if (text !== undefined) e.textContent = text;
  return e;
};
const html = (name, text) => { const e = document.createElement(name); if (text !== undefined) e.textContent = text; return e; };

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";
const whole = t => [...t].reduce((n, c) => 32 * n + DIGITS.indexOf(c) % 32, 0);
const unpack = s => (s.match(/\*?[W-Za-z_-]*[0-9A-V]/g) || []).reduce((found, t) => {
  if (t[0] === "*") found.push(...Array(whole(t.slice(1))).fill(found[found.length - 1])); else found.push(whole(t));
  return found;
}, []);
const place = (t, p) => {
  if (t === "!") return null;
  const n = t[0] === "." ? -whole(t.slice(1)) : whole(t);
  return p < 0 ? n * 10 ** -p : n / 10 ** p;
};
const places = (s, p) => (s.match(/[(=]|!|\.?[W-Za-z_-]*[0-9A-V]/g) || []).map(t => t === "(" || t === "=" ? t : place(t, p));
function ends(s, p) {
  const found = [];
  let last = null, mark = "", low;
  for (const x of places(s, p)) {
    if (x === "(" || x === "=") mark = x;
    else if (mark === "(") { low = x; mark = "low"; }
    else { found.push([mark === "low" ? low : mark ? x : last, x]); last = x; mark = ""; }
  }
  return found;
}
// decoded when it is first drawn
function read(d) {
  if (d.A) return d;
  d.A = unpack(d.a); d.B = unpack(d.b); d.J = unpack(d.j); d.N = unpack(d.n);
  if (d.x) {
    d.X = ends(d.x, d.p || 0);
    for (const key of "edu") if (d[key]) d[key] = places(d[key], d.p || 0);
  }
  return d;
}

const num = (x, n = 4) => Number.isInteger(x) && Math.abs(x) < 1e7 ? String(x) : Math.abs(x) >= 1e7 || (x && Math.abs(x) < 1e-3) ? x.toExponential(n - 2) : String(+x.toPrecision(n));
const pct = x => x === 0 ? "0 %" : x < 10 ? "<0.1 %" : (x / 1e2).toFixed(1) + " %";
const when = (x, fine) => Math.abs(x) < 8.6e12 ? new Date(1000 * x).toISOString().slice(0, fine).replace("T", " ") : num(x) + " s";
// as many digits as tell one from the other, and a date once
function both(d, u, v) {
  const say = d.t ? [10, 16, 19, 23].map(n => x => when(x, n)) : [4, 5, 6, 7, 9, 12, 15, 17].map(n => x => num(x, n)).slice(digits(d));
  const told = say.map(f => [f(u), f(v)]), [a, b] = told.find(([a, b]) => a !== b) || told[0];
  return d.t && a.length > 10 && a.slice(0, 11) === b.slice(0, 11) ? [a, b.slice(11)] : [a, b];
}
// how many of these are too few for numbers that lie close together, far from 0
const digits = d => d.G ??= few(d);
function few(d) {
  const x = d.X.flat().filter(e => e !== null), far = Math.max(...x.map(Math.abs)), span = Math.max(...x) - Math.min(...x);
  const lost = span > 0 ? Math.log10(far / span) : 0;
  return lost < 1 ? 0 : [5, 6, 7, 9, 12, 15, 17].findIndex(n => n >= 4 + lost) + 1 || 7;
}
const one = (d, x) => d.t ? when(x, x % 1 ? 23 : x % 60 ? 19 : x % 86400 ? 16 : 10) : num(x, [4, 5, 6, 7, 9, 12, 15, 17][digits(d)]);
const day = d => {
  const days = d.t ? d.X.flat().filter(e => e !== null).map(e => when(e, 10)) : [];
  return days.length && days.every(x => x === days[0]) ? days[0] + " " : "";
};
const labels = d => {
  if (d.l) return d.l;
  const common = day(d);
  return spans(d).map(name => name.replaceAll(common, ""));
};
const spans = d => d.X.map(([u, v]) => u === null ? (v === null ? "all" : "< " + one(d, v)) : v === null ? "> " + one(d, u) : u === v ? one(d, u) : both(d, u, v).join(" … "));
// of a bin with a long name its beginning
const cut = (name, n) => name.length > n ? name.includes(" … ") && name.indexOf(" … ") < n - 1 ? name.split(" … ")[0] + " …" : name.slice(0, n - 1) + "…" : name;

// both histograms to one scale; a last bar for all other categories does not count for it
function bars(svg, d, w, h) {
  const both = d.H ||= d.h.map(unpack), n = both[0].length, inner = d.r ? n - 1 : n;
  const top = Math.max(1, ...both[0].slice(0, inner), ...both[1].slice(0, inner)), step = w / n;
  for (const side of [0, 1]) both[side].forEach((x, i) => {
    const y = Math.min(h, h * x / top);
    if (x) svg.append(el("rect", {class: side ? "fb" : "fa", x: (i * step).toFixed(1), y: (h - y).toFixed(1), width: (step * .94).toFixed(1), height: Math.max(y, .7).toFixed(1)}));
  });
  return top;
}
function figure(caption, svg) { const f = html("figure"); f.append(svg, html("figcaption", caption)); return f; }
const canvas = (h, label) => el("svg", {viewBox: `0 0 320 ${h}`, role: "img", "aria-label": label});

function histogram(d) {
  const svg = canvas(158, "Histograms of both sides"), g = el("g", {transform: "translate(0 14)"});
  const top = bars(g, d, 320, 126), n = d.H[0].length, step = 320 / n;
  svg.append(g, el("line", {class: "ax", x1: 0, x2: 320, y1: 140, y2: 140}), el("text", {x: 318, y: 10, "text-anchor": "end"}, "highest bar " + pct(top)));
  if (d.e) {
    const [lo, hi] = both(d, d.e[0], d.e[1]);
    svg.append(el("text", {x: 0, y: 153}, lo), el("text", {x: 320, y: 153, "text-anchor": "end"}, hi));
    return figure("Shares from the 1st to the 99th percentile of both; the end bars hold the tails", svg);
  }
  const names = labels(d), room = Math.max(...names.map(name => name.length)) * 6.5 + 6, every = Math.ceil(room / step);
  names.forEach((name, i) => { if (i % every === 0 && (i + .5) * step + room / 2 < 330) svg.append(el("text", {x: Math.max((i + .47) * step, room / 2 - 3), y: 153, "text-anchor": "middle"}, name)); });
  return figure("Shares by value", svg);
}
// categories by name, as bars from left to right
function frequent(d) {
  const order = d.A.map((x, i) => i).sort((i, k) => d.A[k] + d.B[k] - d.A[i] - d.B[i] || i - k).slice(0, 8), h = 22;
  const svg = canvas(order.length * h + 4, "Shares of the most frequent values"), top = Math.max(1, ...order.flatMap(i => [d.A[i], d.B[i]]));
  order.forEach((i, k) => {
    const y = h * k;
    svg.append(el("text", {x: 0, y: y + 14}, cut(d.l[i] || "(empty)", 19)));
    [d.A[i], d.B[i]].forEach((x, side) => x && svg.append(el("rect", {class: side ? "fb" : "fa", x: 120, y: y + 3 + 8 * side, width: Math.max(1, 96 * x / top), height: 7})));
    svg.append(el("text", {x: 318, y: y + 14, "text-anchor": "end"}, pct(d.A[i]) + " → " + pct(d.B[i])));
  });
  return figure("Shares of the most frequent values: baseline → current", svg);
}

// points of both distribution functions over the range of both, in 10 000ths. Beyond the baseline's range a knot
// at the mean of what lies there makes the area exact: contribution.steps
function steps(d) {
  const pts = [];
  let p = 0, q = 0;
  d.X.forEach(([u, v], i) => {
    const s = d.B[i];
    let knot = null;
    if (u === null && v !== null && d.d) { u = Math.min(d.d[0], v); if (u < v) knot = [d.d[1], s * (v - d.d[1]) / (v - u)]; }
    else if (v === null && u !== null && d.u) { v = Math.max(d.u[1], u); if (v > u) knot = [d.u[0], s * (1 - (d.u[0] - u) / (v - u))]; }
    if (u !== null) pts.push([u, p, q]);
    if (knot) pts.push([knot[0], p, q + knot[1]]);
    p += d.A[i]; q += s;
    if (v !== null) pts.push([v, p, q]);
  });
  return pts;
}
function curves(d, pts, lo, hi, label) {
  const L = 38, W = 276, H = 122, X = x => L + W * (x - lo) / (hi - lo), Y = y => 10 + H * (1 - y / 1e4);
  const line = k => pts.map(t => X(t[0]).toFixed(1) + " " + Y(t[k]).toFixed(1)), A = line(1), B = line(2);
  const svg = canvas(158, label), id = "c" + (curves.n = (curves.n || 0) + 1), clip = el("clipPath", {id}), g = el("g", {"clip-path": `url(#${id})`});
  clip.append(el("rect", {x: L, y: 0, width: W, height: 158}));
  g.append(el("path", {class: "area", d: "M" + A.join("L") + "L" + [...B].reverse().join("L") + "Z"}), el("path", {class: "la", d: "M" + A.join("L")}), el("path", {class: "lb", d: "M" + B.join("L")}));
  const [from, to] = both(d, lo, hi);
  for (const y of [0, 5e3, 1e4]) svg.append(el("line", {class: "ax", x1: L, x2: L + W, y1: Y(y), y2: Y(y)}), el("text", {x: L - 4, y: Y(y) + 4, "text-anchor": "end"}, y / 100 + " %"));
  svg.append(clip, g, el("text", {x: L, y: 150}, from), el("text", {x: L + W, y: 150, "text-anchor": "end"}, to));
  return svg;
}
// the whole of both, and once more the middle if the tails leave it little room
function cdfs(d) {
  const pts = steps(d);
  if (pts.length < 2 || !d.w) return [];
  const lo = pts[0][0], hi = pts[pts.length - 1][0];
  if (!(hi > lo)) return [];
  let text = "Share of values up to x; the area between the two is W1 = " + num(d.w[0]) + (d.t ? " s" : "");
  if (d.w.length > 1) text += " (drawn: " + num(d.w[1]) + "; the rest is shape within bins)";
  const found = [figure(text, curves(d, pts, lo, hi, "Distribution functions of both sides"))];
  const mid = pts.filter(t => Math.min(t[1], t[2]) < 9800 && Math.max(t[1], t[2]) > 200), a = mid.length && mid[0][0], z = mid.length && mid[mid.length - 1][0];
  if (z > a && 3 * (z - a) < hi - lo) found.push(figure("The same from the 2nd to the 98th percentile", curves(d, pts, a, z, "Distribution functions, without the tails")));
  const one = html("div");
  one.append(...found);
  return [one];
}

function moved(d) {
  const names = labels(d), order = d.J.map((x, i) => i).filter(i => d.J[i] > 0).sort((i, k) => d.J[k] - d.J[i]).slice(0, 7);
  if (!order.length) return figure("No bin moved.", canvas(1, ""));
  const svg = canvas(order.length * 22 + 4, "The bins that moved most"), top = d.J[order[0]];
  order.forEach((i, k) => {
    const y = 22 * k;
    svg.append(el("text", {x: 0, y: y + 14}, cut(names[i] || "(empty)", 22)), el("rect", {class: "m", x: 138, y: y + 4, width: Math.max(1, 40 * d.J[i] / top), height: 13}),
      el("text", {x: 210, y: y + 14, "text-anchor": "end"}, (d.J[i] / 10).toFixed(0) + " %"), el("text", {x: 318, y: y + 14, "text-anchor": "end"}, pct(d.A[i]) + " → " + pct(d.B[i])));
  });
  const more = !d.o ? "" : d.l ? `; ${d.o} more values` : `; ${d.o} bins taken together`;
  return figure("What moved most: its part of JS²; share in the baseline → current" + more, svg);
}

function detail(d) {
  read(d);
  const tr = html("tr"), td = html("td"), figs = html("div");
  tr.className = "d"; figs.className = "figs"; td.colSpan = heads.length + 1;
  figs.append(...(d.X ? [histogram(d), ...cdfs(d)] : [frequent(d)]), moved(d));
  const because = [...(d.c || "")].map(i => ["JS", "W1/sd", "missing values"][i]);
  const told = [`values ${d.N[0].toLocaleString("en")} → ${d.N[1].toLocaleString("en")}`, ...(because.length ? ["beyond its threshold: " + because.join(", ")] : []), ...(d.s || [])];
  const line = html("figcaption", told.join(" · ")); line.style.gridColumn = "1/-1";
  figs.append(line); td.append(figs); tr.append(td);
  return tr;
}

const spot = html("th", "shares"); spot.scope = "col"; heads[0].after(spot);
function open(row, yes) {
  const own = row.own, button = row.querySelector("button");
  button.setAttribute("aria-expanded", String(yes));
  if (yes) { own.detail ??= detail(data[own.at]); own.detail.hidden = row.hidden; row.after(own.detail); } else if (own.detail) own.detail.remove();
}
rows.forEach((row, i) => {
  const th = row.cells[0], name = th.querySelector("bdi"), button = html("button");
  button.type = "button"; button.setAttribute("aria-expanded", "false");
  name.before(button); button.append(name);
  const td = html("td"), svg = el("svg", {viewBox: "0 0 88 24", "aria-hidden": "true"});
  td.className = "spark"; bars(svg, data[i], 88, 23); td.append(svg); th.after(td);
  row.own = {text: name.textContent.toLowerCase(), verdict: row.cells[2].textContent.trim(), detail: null, at: i, keys: unpack(data[i].k)};
  button.addEventListener("click", () => open(row, button.getAttribute("aria-expanded") !== "true"));
});

const find = document.getElementById("find"), which = document.getElementById("which"), shown = document.getElementById("shown"), all = document.getElementById("all");
function filter() {
  const text = find.value.trim().toLowerCase(), verdict = which.value;
  let n = 0;
  for (const row of rows) {
    const ok = row.own.text.includes(text) && (!verdict || row.own.verdict === verdict);
    row.hidden = !ok; n += ok;
    if (row.own.detail) row.own.detail.hidden = !ok;
  }
  shown.textContent = `${n} of ${rows.length} columns`;
}
find.addEventListener("input", filter); which.addEventListener("change", filter);
all.addEventListener("click", () => {
  const yes = all.getAttribute("aria-pressed") !== "true";
  all.setAttribute("aria-pressed", String(yes)); all.textContent = yes ? "Close all" : "Open all";
  for (const row of rows) if (!row.hidden || !yes) open(row, yes);
});
const rank = ["none", "noise", "moved", "moved a lot"];
heads.forEach((th, k) => {
  const button = html("button", th.textContent); button.type = "button"; th.replaceChildren(button);
  const kind = th.dataset.k;
  if (k > 2 && k < 7) th.append(html("s", "noise"));
  const value = row => kind === "t" ? row.own.text : kind === "v" ? rank.indexOf(row.own.verdict) : row.own.keys[k - 2];
  button.addEventListener("click", () => {
    const first = kind === "t" || button.textContent === "p" ? "ascending" : "descending";
    const now = th.getAttribute("aria-sort"), up = (now ? (now === "ascending" ? "descending" : "ascending") : first);
    heads.forEach(other => other.removeAttribute("aria-sort")); th.setAttribute("aria-sort", up);
    const sign = up === "ascending" ? 1 : -1;
    rows.sort((r, t) => { const u = value(r), v = value(t); return sign * (u < v ? -1 : u > v ? 1 : 0) || r.own.at - t.own.at; });
    for (const row of rows) { body.append(row); if (row.own.detail && row.querySelector("button").getAttribute("aria-expanded") === "true") body.append(row.own.detail); }
  });
});
// paper has no buttons: what the numbers mean is printed
const meaning = document.querySelector("details");
addEventListener("beforeprint", () => { meaning.was = meaning.open; meaning.open = true; });
addEventListener("afterprint", () => { meaning.open = meaning.was; });
document.getElementById("tools").hidden = document.getElementById("hint").hidden = false;
filter();
if (rows.length) open(rows[0], true);
})();
