// What the plan viewer draws, computed out of the plan's JSON (the contract is
// graph/plan/json.go) and of the timings; no page in here.

/** size is the geometry of the graph. */
export const size = { width: 216, height: 74, gapX: 64, gapY: 18, margin: 12, start: 88 };

/** subgraphs lists the plan's subgraphs, in the order in which they are asked. */
export function subgraphs(plan) {
  return [...new Set(plan.fetches.map((fetch) => fetch.subgraph))];
}

/** placeOf is where a fetch's objects stand, as text; "" is the root. */
export function placeOf(fetch) {
  return fetch.places.map((place) => place.path.map((step) => step.key).join('.')).join('、');
}

/** conditionText prints a condition: a list of alternatives. */
export function conditionText(when) {
  return when?.map((all) => all.map(({ variable, is }) => `${is ? '' : '!'}$${variable}`).join(' && ')).join(' || ') ?? '';
}

/**
 * layout places the fetches: a column for each round, and the edges between
 * them. Root fetches come from the request.
 */
export function layout(plan) {
  const columns = [];
  for (const fetch of plan.fetches) (columns[fetch.round] ??= []).push(fetch);
  const tallest = Math.max(1, ...columns.map((column) => column?.length ?? 0));
  const height = tallest * (size.height + size.gapY) - size.gapY;
  const nodes = new Map();
  columns.forEach((column, round) => {
    const taken = column.length * (size.height + size.gapY) - size.gapY;
    column.forEach((fetch, row) => nodes.set(fetch.id, {
      fetch,
      x: size.margin + size.start + size.gapX + round * (size.width + size.gapX),
      y: size.margin + (height - taken) / 2 + row * (size.height + size.gapY),
    }));
  });
  const start = { x: size.margin, y: size.margin + (height - size.height) / 2 };
  const edges = [];
  for (const { fetch, x, y } of nodes.values()) {
    const sources = fetch.after.length > 0 ? fetch.after.map((id) => nodes.get(id)) : [null];
    for (const from of sources) {
      edges.push({
        from: from?.fetch.id ?? null, to: fetch.id,
        x1: from ? from.x + size.width : start.x + size.start, y1: (from?.y ?? start.y) + size.height / 2,
        x2: x, y2: y + size.height / 2,
      });
    }
  }
  return {
    nodes: [...nodes.values()], edges, start,
    width: size.margin * 2 + size.start + columns.length * (size.width + size.gapX),
    height: height + size.margin * 2,
  };
}

/** owners tells for each place of the merged data which fetches bring it. */
export function owners(plan) {
  const found = new Map();
  const walk = (fetch, selections, prefix) => {
    for (const selection of selections ?? []) {
      if (selection.field === '__typename') continue;
      let path = prefix;
      if (selection.field) {
        path = [...prefix, selection.alias ?? selection.field];
        const key = path.join('.');
        if (!found.has(key)) found.set(key, []);
        if (!found.get(key).includes(fetch.id)) found.get(key).push(fetch.id);
      }
      walk(fetch, selection.selections, path);
    }
  };
  for (const fetch of plan.fetches) {
    for (const part of fetch.parts ?? [fetch]) { // one request may carry several fetches of entities
      const places = part.places.length > 0 ? part.places.map(({ path }) => path.map(({ key }) => key)) : [[]];
      for (const place of places) walk(fetch, part.selection, place);
    }
  }
  return found;
}

/** fields flattens the answer's tree: each field with its depth, and who brings it. */
export function fields(plan) {
  const known = owners(plan);
  const rows = [];
  const walk = (list, prefix, depth) => {
    for (const output of list ?? []) {
      const path = [...prefix, output.from];
      rows.push({
        path: path.join('.'), depth, key: output.key, type: output.type, when: conditionText(output.when), on: output.types ?? [],
        fetches: output.introspection || output.field === '__typename' ? [] : known.get(path.join('.')) ?? [],
        leaf: !output.fields,
      });
      walk(output.fields, path, depth + 1);
    }
  };
  walk(plan.response, [], 0);
  return rows;
}

const stageNames = {
  receive: '接收与鉴权', prepare: '取缓存的计划', parse: '解析', validate: '校验', plan: '规划', compile: '编译', run: '执行', write: '写出应答',
};

/** waterfall gives the bars of stages and fetches, in the order of time. */
export function waterfall(plan, timings) {
  const byID = new Map(plan.fetches.map((fetch) => [fetch.id, fetch]));
  const stages = timings.stages.map((stage) => ({ ...stage, label: stageNames[stage.name] ?? stage.name }));
  const fetches = timings.fetches
    .map((fetch) => ({ ...fetch, label: `#${fetch.id} ${fetch.subgraph}`, place: placeOf(byID.get(fetch.id)) }))
    .sort((a, b) => a.start - b.start || a.id - b.id);
  const at = stages.findIndex(({ name }) => name === 'run');
  return [...stages.slice(0, at + 1), ...fetches, ...stages.slice(at + 1)];
}

/** ticks are four or five round numbers from 0 up to total. */
export function ticks(total) {
  const step = [1, 2, 2.5, 5, 10].map((n) => n * 10 ** Math.floor(Math.log10(total / 4 || 1))).find((n) => total / n <= 5);
  return Array.from({ length: Math.floor(total / step) + 1 }, (_, i) => Number((i * step).toPrecision(6)));
}

/** sizeText prints a number of bytes. */
export function sizeText(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 1024 ** 2 ? `${(bytes / 1024).toFixed(1)} KB` : `${(bytes / 1024 ** 2).toFixed(1)} MB`;
}

/** timeText prints milliseconds. */
export function timeText(ms) {
  return ms < 1 ? `${Math.round(ms * 1000)} µs` : `${ms.toFixed(ms < 10 ? 2 : 1)} ms`;
}

/** costText prints a cost: 10,000 of it are a fetch. */
export function costText(way) {
  return way.impossible ? '做不到' : way.cost.toLocaleString('en-US');
}
