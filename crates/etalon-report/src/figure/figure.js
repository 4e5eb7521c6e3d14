// Tells the values of figures: to a pointer, to the arrow keys, and by a live region to a screen reader.
"use strict";
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const element = (name, parent, text = "") => {
    const made = parent.appendChild(document.createElement("div"));
    made.className = name;
    made.textContent = text;
    return made;
  };

  // A number as people read it; on an axis of powers, 10 to that number.
  const shown = (value, axis, digits = 4) => {
    if (value === null) return "none";
    if (axis.s === "power") {
      if (Math.abs(value) < 300) return shown(10 ** value, { s: "even" }, digits);
      const whole = Math.floor(value);
      return (10 ** (value - whole)).toFixed(2) + "e" + whole;
    }
    if (Number.isInteger(value) && Math.abs(value) < 1e6) return String(value);
    const size = Math.abs(value);
    const text = size >= 1e-3 && size < 1e6 ? value.toPrecision(digits) : value.toExponential(digits - 1).replace("+", "");
    return text.includes(".") ? text.replace(/\.?0+($|e)/, "$1") : text;
  };
  const named = (axis, value) => axis.l + ": " + shown(value, axis) + (axis.u ? " " + axis.u : "");
  const share = (axis, value) => {
    const [low, high] = axis.e;
    const part = axis.s === "log" ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
    return Math.min(1, Math.max(0, part));
  };
  const takes = (axis, value) => value !== null && (axis.s !== "log" || value > 0);

  // What can be pointed at in a panel: values of series, then cells; places are shares of the frame, y downwards.
  const targets = (data, panel) => {
    const { y } = panel, x = data.x, found = [];
    panel.s.forEach((series, number) => {
      for (let i = 0; i < series.d.length; i += 4) {
        const [right, up, low, high] = series.d.slice(i, i + 4);
        if (!takes(x, right) || !takes(y, up)) continue;
        const across = series.a ? x : y;
        const range = low === null || low === high ? "" : ` (${shown(low, across)} to ${shown(high, across)})`;
        const head = series.n ? series.n + "\n" : "";
        const text = head + named(x, right) + (series.a ? range : "") + "\n" + named(y, up) + (series.a ? "" : range);
        found.push({ x: share(x, right), y: 1 - share(y, up), text, group: number });
      }
    });
    panel.c.forEach(([x0, x1, y0, y1, text, detail]) => {
      const [left, right] = [share(x, x0), share(x, x1)], [bottom, top] = [1 - share(y, y0), 1 - share(y, y1)];
      found.push({ x: (left + right) / 2, y: (top + bottom) / 2, text, detail, group: "cell", box: [left, top, right, bottom] });
    });
    return found;
  };

  // Where an arrow key leads: along a series and to the same place of the next one, or from cell to cell.
  const neighbour = (all, at, right, down) => {
    const from = all[at];
    if (!from.box && right) return all[at + right]?.group === from.group ? at + right : -1;
    let best = -1, least = Infinity;
    all.forEach(({ x, y, box, group }, index) => {
      const [dx, dy] = [x - from.x, y - from.y];
      if (!from.box) {
        if (group !== from.group + down || Math.abs(dx) >= least) return;
        [best, least] = [index, Math.abs(dx)];
      } else if (box && dx * right + dy * down > 1e-9) {
        const far = dx * right + dy * down + 4 * Math.abs(right ? dy : dx);
        if (far < least) [best, least] = [index, far];
      }
    });
    return best;
  };

  const small = (host, details, curves) => {
    const all = curves.flatMap((curve) => curve.filter((_, i) => i % 2 && takes(details.y, curve[i])));
    const steps = curves.flatMap((curve) => curve.filter((_, i) => i % 2 === 0));
    if (!all.length) return element("", host, "no finite " + details.y.l);
    const ends = (values) => {
      const [low, high] = [Math.min(...values), Math.max(...values)];
      return low < high ? [low, high] : details.y.s === "log" && low > 0 ? [low / 2, low * 2] : [low - 1, low + 1];
    };
    const x = { ...details.x, e: ends(steps) }, y = { ...details.y, e: ends(all) };
    const frame = element("small", host);
    const svg = frame.appendChild(document.createElementNS(SVG, "svg"));
    svg.setAttribute("viewBox", "0 0 1000 1000");
    svg.setAttribute("preserveAspectRatio", "none");
    for (const curve of curves) {
      let path = "", down = false;
      for (let i = 0; i < curve.length; i += 2) {
        const draws = takes(y, curve[i + 1]);
        if (draws) path += `${down ? "L" : "M"}${1000 * share(x, curve[i])} ${1000 * (1 - share(y, curve[i + 1]))}`;
        down = draws;
      }
      svg.appendChild(document.createElementNS(SVG, "path")).setAttribute("d", path);
    }
    for (const [end, place] of [[y.e[0], 100], [y.e[1], 0]]) {
      element("tick row", frame, shown(end, y, 3)).style.top = place + "%";
    }
    for (const [end, place] of [[x.e[0], 0], [x.e[1], 100]]) {
      element("tick column", frame, shown(end, x, 3)).style.left = place + "%";
    }
  };

  const start = (figure) => {
    const data = JSON.parse(figure.querySelector("script").textContent);
    const detail = figure.querySelector(".detail");
    const tell = (text, index) => {
      detail.replaceChildren();
      detail.hidden = false;
      element("head", detail, `${data.d.y.l} against ${data.d.x.l}: ${text.split("\n").slice(0, 2).join(", ")}`);
      small(detail, data.d, data.d.i[index]);
    };
    if (detail) {
      // One is there before anyone points, so that the page does not move: a catapult, if there is any.
      const cells = data.p.flatMap((panel) => panel.c).filter((cell) => cell[5] !== null);
      const first = cells.find((cell) => cell[4].startsWith("catapult")) ?? cells[cells.length >> 1];
      if (first) tell(first[4], first[5]);
    }
    figure.querySelectorAll(".frame").forEach((frame) => {
      let all, tip, pin, at = -1;
      const prepare = () => {
        if (tip) return;
        all = targets(data, data.p[frame.dataset.panel]);
        pin = element("pin", frame);
        tip = element("tip", frame);
        tip.setAttribute("role", "status");
        hide();
      };
      // Where the keyboard begins: it goes to values, and to cells where there is nothing else.
      const lost = () => at < 0 || (all[at].box && !all[0].box);
      const hide = () => { if (tip) tip.hidden = pin.hidden = true; };
      const show = (index) => {
        const target = all[at = index];
        const { x, y, box } = target;
        pin.className = box ? "chosen" : "pin";
        pin.style.cssText = box
          ? `left:${100 * box[0]}%;top:${100 * box[1]}%;width:${100 * (box[2] - box[0])}%;height:${100 * (box[3] - box[1])}%;box-sizing:border-box`
          : `left:${100 * x}%;top:${100 * y}%`;
        tip.textContent = target.text;
        tip.hidden = pin.hidden = false;
        const [wide, high] = [frame.clientWidth, frame.clientHeight];
        const left = Math.max(0, Math.min(x * wide + 14, wide - tip.offsetWidth));
        const above = y * high - tip.offsetHeight - 14;
        tip.style.left = left + "px";
        tip.style.top = (above > -20 ? above : y * high + 14) + "px";
        if (detail && target.detail != null) tell(target.text, target.detail);
      };
      const point = (event) => {
        prepare();
        const place = frame.getBoundingClientRect();
        const [px, py] = [event.clientX - place.left, event.clientY - place.top];
        let best = -1, least = Infinity, cell = -1;
        all.forEach(({ x, y, box }, index) => {
          if (box) {
            const inside = px >= box[0] * place.width && px <= box[2] * place.width && py >= box[1] * place.height && py <= box[3] * place.height;
            if (inside) cell = index;
            return;
          }
          const far = (x * place.width - px) ** 2 + (y * place.height - py) ** 2;
          if (far < least) [best, least] = [index, far];
        });
        // A value near by before the ground it lies on.
        const index = best >= 0 && (cell < 0 || least < 900) ? best : cell;
        if (index >= 0) show(index);
      };
      const key = (event) => {
        const ways = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };
        if (event.key === "Escape") return hide();
        if (!(event.key in ways)) return;
        event.preventDefault();
        prepare();
        if (!all.length) return;
        if (lost()) return show(0);
        const next = neighbour(all, at, ...ways[event.key]);
        if (next >= 0) show(next);
      };
      frame.addEventListener("pointermove", point);
      frame.addEventListener("pointerdown", point);
      frame.addEventListener("pointerleave", hide);
      frame.addEventListener("blur", hide);
      frame.addEventListener("focus", () => {
        prepare();
        if (all.length && frame.matches(":focus-visible")) show(lost() ? 0 : at);
      });
      frame.addEventListener("keydown", key);
    });
  };
  document.querySelectorAll("figure.plot").forEach(start);
})();
