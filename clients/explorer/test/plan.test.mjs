// The plan viewer in a real browser against the whole platform in development
// mode (URL), as the citizen of TOKEN with the operation of QUERY; started by
// server/viewer_test.go.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';

const { URL: base, TOKEN: token, QUERY: query, SCREENSHOTS: screenshots } = process.env;
let browser;
let page;
const elsewhere = [];
const complaints = [];

before(async () => {
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
  page = await browser.newPage({ viewport: { width: 1440, height: 1000 } });
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (!['data:', 'blob:'].includes(url.protocol) && url.origin !== base) elsewhere.push(request.url());
  });
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(`${base}/explorer/plan`);
  await page.locator('select[name=client]').selectOption('app');
  await page.locator('textarea[name=query]').fill(query);
  await page.locator('button[name=tidy]').click();
  assert.ok((await page.locator('textarea[name=query]').inputValue()).split('\n').length > 20);
  await page.locator('textarea[name=headers]').fill(JSON.stringify({ Authorization: `Bearer ${token}` }));
});

after(() => browser?.close());

const sent = () => page.waitForRequest((request) => request.method() === 'POST' && request.url().endsWith('/graphql'));
const texts = (selector) => page.locator(selector).allTextContents();

// explain presses a button, and gives the request and the answer's extensions.
async function explain(name) {
  const [request] = await Promise.all([sent(), page.locator(`button[name=${name}]`).click()]);
  const answer = await (await request.response()).json();
  await page.locator('.plan-result[aria-busy=false]').waitFor();
  return { explain: request.headers()['x-explain'], answer };
}

test('draws the plan without running it', async () => {
  const { explain: header, answer } = await explain('plan');
  assert.match(header, /only/);
  assert.equal(answer.data, undefined);
  const { fetches, calls } = answer.extensions.plan;
  assert.ok(fetches.length >= 4);
  assert.equal(await page.locator('.plan-graph .fetch').count(), fetches.length);
  assert.equal(await page.locator('.plan-graph .edge').count(), fetches.reduce((sum, { after: waits }) => sum + Math.max(1, waits.length), 0));
  const summary = (await texts('.plan-summary')).join();
  assert.ok(summary.includes(`预计调用 ${calls.least}–${calls.most} 次，`) && summary.includes(`${calls.rounds} 轮`), summary);
  assert.equal(await page.locator('.plan-waterfall').count(), 0);
  assert.equal(await page.locator('.plan-answer').count(), 0);
});

test('shows what was weighed, with costs', async () => {
  const { answer } = await explain('plan');
  const { choices } = answer.extensions;
  assert.ok(choices.length > 0);
  assert.equal(await page.locator('.choice').count(), choices.length);
  assert.equal(await page.locator('.way').count(), choices.flatMap(({ ways }) => ways).length);
  assert.equal(await page.locator('.way.taken').count(), choices.flatMap(({ ways }) => ways).filter(({ taken }) => taken).length);
  const [dear] = choices.flatMap(({ ways }) => ways).filter(({ taken }) => !taken);
  assert.ok((await texts('.way:not(.taken) .number')).includes(dear.cost.toLocaleString('en-US')));
});

test('runs it and draws the timings', async () => {
  const { explain: header, answer } = await explain('run');
  assert.doesNotMatch(header, /only/);
  const { timings } = answer.extensions;
  assert.equal(await page.locator('.plan-waterfall .of-fetch').count(), timings.fetches.length);
  const labels = await texts('.plan-waterfall .label');
  for (const { id, subgraph } of timings.fetches) assert.ok(labels.includes(`#${id} ${subgraph}`), labels.join());
  assert.ok(labels.includes('执行') && labels.includes('写出应答'), labels.join());
  // A fetch that waits for another begins at the right of that one's end.
  const box = async (id) => page.locator('.plan-waterfall .of-fetch').filter({ hasText: `#${id} ` }).locator('.bar').boundingBox();
  const late = answer.extensions.plan.fetches.find(({ id, after: waits }) => waits.length > 0 && timings.fetches.some((f) => f.id === id));
  const [first, second] = [await box(late.after[0]), await box(late.id)];
  assert.ok(second.x >= first.x + first.width - 3, `${second.x} after ${first.x + first.width}`);
  assert.ok((await texts('.plan-summary .took')).join().includes(`实际 ${timings.fetches.length} 次`));
  assert.ok((await texts('.plan-answer')).join().includes(answer.data.viewer.nickname));
});

test('tells of one fetch what it sends, and which fields it brings', async () => {
  await page.locator('.plan-graph .fetch').last().click();
  const detail = (await texts('.plan-detail')).join();
  assert.ok(detail.includes('_entities(representations: $representations)') && detail.includes('实体'), detail);
  const rows = page.locator('.plan-fields li');
  const [all, dim] = [await rows.count(), await page.locator('.plan-fields li.dim').count()];
  assert.ok(dim > 0 && dim < all, `${dim} of ${all}`);
  assert.equal(await page.locator('.plan-fields li:not(:has(button))').count(), 0, 'a field that no fetch brings');
});

test('is light and dark', async () => {
  const ground = () => page.evaluate(() => getComputedStyle(document.querySelector('#explorer')).backgroundColor);
  const seen = {};
  for (const theme of ['light', 'dark']) {
    await page.locator('select[name=theme]').selectOption(theme);
    seen[theme] = await ground();
    if (!screenshots) continue;
    for (const height of [2100, 1000]) {
      await page.setViewportSize({ width: 1440, height });
      await page.screenshot({ path: `${screenshots}/plan-${theme}-${height}.png` });
    }
  }
  assert.notEqual(seen.light, seen.dark);
  await page.locator('select[name=theme]').selectOption('system');
  for (const scheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme: scheme });
    assert.equal(await ground(), seen[scheme]);
  }
  await page.emulateMedia({ colorScheme: null });
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), true, 'the page is wider than its window');
});

test('says what is wrong with an operation', async () => {
  await page.locator('textarea[name=query]').fill('{ nothing }');
  await explain('plan');
  assert.match((await texts('[role=alert]')).join(), /nothing/);
  await page.locator('textarea[name=variables]').fill('{');
  await page.locator('button[name=plan]').click();
  await page.locator('[role=alert]:has-text("JSON")').waitFor();
});

test('asks before it runs a mutation', async () => {
  const asked = new Promise((resolve) => { page.once('dialog', async (dialog) => { await dialog.dismiss(); resolve(dialog.message()); }); });
  await page.locator('textarea[name=variables]').fill('');
  await page.locator('textarea[name=query]').fill('mutation { markNotificationsRead(input: {all: true}) { __typename } }');
  await page.locator('button[name=run]').click();
  assert.match(await asked, /mutation/);
});

test('leads to GraphiQL and back', async () => {
  await page.locator('nav a').first().click();
  await page.waitForSelector('.graphiql-container');
  await page.locator('nav a').last().click();
  await page.waitForSelector('.plan-page');
});

test('asks no other host, and breaks no rule of the page', () => {
  assert.deepEqual(elsewhere, []);
  assert.deepEqual(complaints.filter((text) => !text.includes('400')), []); // the refused operation above
});
