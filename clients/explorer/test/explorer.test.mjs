// The explorer in a real browser against a running gateway (URL), started by
// server/transport/clients_test.go. It must render, work, and load nothing
// from anywhere else.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';

const base = process.env.URL;
let browser;
let page;
const elsewhere = [];
const complaints = [];

before(async () => {
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
  page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (!['data:', 'blob:'].includes(url.protocol) && url.origin !== base) elsewhere.push(request.url());
  });
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(`${base}/explorer`);
  await page.waitForSelector('.graphiql-container');
});

after(() => browser?.close());

async function write(query) {
  await page.locator('.graphiql-query-editor .CodeMirror').click();
  await page.keyboard.press('Control+A');
  await page.keyboard.press('Delete');
  await page.keyboard.insertText(query);
}

// answer waits until the run ended with an answer that has the part.
async function answer(part) {
  await page.waitForFunction(
    (wanted) => document.querySelector('.result-window .CodeMirror')?.CodeMirror.getValue().includes(wanted),
    part,
    { timeout: 10_000 },
  );
  await page.waitForSelector('.graphiql-execute-button[aria-label^="Execute"]');
}

test('runs a query', async () => {
  await write('{ who }');
  await page.keyboard.press('Control+Enter');
  await answer('"who"');
});

test('knows the schema', async () => {
  await page.locator('button[aria-label*="Documentation"]').first().click();
  await page.waitForSelector('.graphiql-doc-explorer-content:has-text("Subscription")');
});

for (const [transport, name] of [['ws', 'WebSocket'], ['sse', 'SSE']]) {
  test(`subscribes over ${name}`, async () => {
    await page.locator('select[name=transport]').selectOption(transport);
    await write('subscription { books(count: 3) { id title } }');
    await page.keyboard.press('Control+Enter');
    await answer('"id": "3"');
    await write('{ who }'); // another answer in between
    await page.keyboard.press('Control+Enter');
    await answer('"who"');
  });
}

test('says which client it is', async () => {
  await page.locator('select[name=client]').selectOption('app');
  const [request] = await Promise.all([page.waitForRequest((r) => r.method() === 'POST' && r.postData().includes('ForApp')), (async () => {
    await write('query ForApp { who }');
    await page.keyboard.press('Control+Enter');
  })()]);
  assert.equal(request.headers()['x-client-id'], 'app');
});

test('asks no other host, and breaks no rule of the page', async () => {
  if (process.env.SCREENSHOT) await page.screenshot({ path: process.env.SCREENSHOT });
  assert.deepEqual(elsewhere, []);
  assert.deepEqual(complaints, []);
});
