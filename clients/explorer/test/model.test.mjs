// What the plan viewer computes out of a plan, over a plan of the gateway's own
// snapshots.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { fields, layout, owners, size, sizeText, ticks, timeText, waterfall } from '../src/plan/model.js';

const selection = (field, ...selections) => ({ field, selections });
const plan = {
  operation: 'query', calls: { least: 1, most: 3, rounds: 2, subgraphs: [] },
  fetches: [
    { id: 0, kind: 'root', subgraph: 'A', round: 0, after: [], places: [], variables: [], selection: [selection('me', selection('id'), { field: 'x', alias: 'y' })] },
    { id: 1, kind: 'entities', subgraph: 'B', round: 1, after: [0], places: [{ path: [{ key: 'me' }], representations: [] }], selection: [{ on: 'User', selections: [selection('name')] }] },
    { id: 2, kind: 'entities', subgraph: 'C', round: 1, after: [0], places: [{ path: [{ key: 'me' }], representations: [] }], selection: [{ on: 'User', selections: [selection('age')] }] },
  ],
  response: [{ key: 'me', from: 'me', field: 'me', type: 'User', fields: [
    { key: 'y', from: 'y', field: 'x', type: 'Int' }, { key: 'n', from: 'name', field: 'name', type: 'String' },
    { key: 'age', from: 'age', field: 'age', type: 'Int', when: [[{ variable: 'full', is: true }], [{ variable: 'no', is: false }]] }] }],
};

test('a column for each round, and an edge for each wait', () => {
  const { nodes, edges, width, height } = layout(plan);
  assert.equal(nodes.length, 3);
  assert.equal(nodes[1].x, nodes[2].x);
  assert.equal(nodes[1].x - nodes[0].x, size.width + size.gapX);
  assert.ok(nodes[2].y >= nodes[1].y + size.height, 'boxes overlap');
  assert.deepEqual(edges.map(({ from, to }) => [from, to]), [[null, 0], [0, 1], [0, 2]]);
  assert.ok(nodes.every(({ x, y }) => x + size.width <= width && y + size.height <= height));
});

test('who brings a field', () => {
  assert.deepEqual(Object.fromEntries(owners(plan)), { me: [0], 'me.id': [0], 'me.y': [0], 'me.name': [1], 'me.age': [2] });
  assert.deepEqual(fields(plan).map(({ key, depth, fetches, when }) => [key, depth, fetches, when]), [
    ['me', 0, [0], ''], ['y', 1, [0], ''], ['n', 1, [1], ''], ['age', 1, [2], '$full || !$no'],
  ]);
});

test('every field of the gateway\'s own plans is brought by somebody', () => {
  const folder = new URL('../../../graph/plan/testdata/json/', import.meta.url);
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
  assert.ok(names.length > 3);
  for (const name of names) {
    const lost = fields(JSON.parse(readFileSync(new URL(name, folder), 'utf8')))
      .filter(({ fetches, path, on }) => fetches.length === 0 && on.length === 0 && !path.endsWith('__typename')); // objects of some types never stand at some places
    assert.deepEqual(lost, [], name);
  }
});

test('bars in the order of time, fetches within the run', () => {
  const bars = waterfall(plan, {
    total: 9, stages: [{ name: 'receive', start: 0, duration: 1 }, { name: 'run', start: 1, duration: 7 }, { name: 'write', start: 8, duration: 1 }],
    fetches: [{ id: 1, subgraph: 'B', start: 4, duration: 2 }, { id: 0, subgraph: 'A', start: 1, duration: 3 }],
  });
  assert.deepEqual(bars.map(({ label }) => label), ['接收与鉴权', '执行', '#0 A', '#1 B', '写出应答']);
});

test('numbers for people', () => {
  assert.deepEqual(ticks(9.3), [0, 2, 4, 6, 8]);
  assert.deepEqual(ticks(0.37), [0, 0.1, 0.2, 0.3]);
  for (const total of [0.001, 0.05, 1, 3.3, 47, 1234]) assert.ok(ticks(total).length >= 3 && ticks(total).length <= 6, `${total}: ${ticks(total)}`);
  assert.deepEqual([sizeText(12), sizeText(2048), sizeText(3 << 20)], ['12 B', '2.0 KB', '3.0 MB']);
  assert.deepEqual([timeText(0.25), timeText(2.5), timeText(25)], ['250 µs', '2.50 ms', '25.0 ms']);
});
