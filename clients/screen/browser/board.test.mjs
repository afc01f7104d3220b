// The board in real Chromium: sign in, open a district's board, commit a case,
// see the numbers change; cut the line, commit another, see the page say so and
// catch up. CITIZENCLOUD_URL names a running server with demonstration data in
// development mode; without it a fake server with canned data is used.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { Line } from './line.mjs';
import { startPlatform } from './platform.mjs';

const district = '510104000000';
const pictures = process.env.SCREENSHOTS ?? fileURLToPath(new URL('screenshots/', import.meta.url));
const patience = 15_000;
let platform, line, browser, page;
const complaints = [];

before(async () => {
  mkdirSync(pictures, { recursive: true });
  platform = await startPlatform(process.env.CITIZENCLOUD_URL);
  line = await Line.to(platform.url);
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
  page = await browser.newPage({ viewport: { width: 1920, height: 1080 }, locale: 'zh-CN' });
  page.setDefaultTimeout(patience);
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    // what the browser itself says of a line that the test cut is no complaint
    if (message.type() === 'error' && !/net::ERR_|status of 40[013]/.test(message.text())) complaints.push(message.text());
  });
});

after(async () => {
  await browser?.close();
  await line?.close();
  await platform?.close();
});

const total = async (name) => Number((await page.locator(`[data-total=${name}] .number`).first().innerText()).replaceAll(',', ''));

/** Waits until the total is at least `least`. */
const reaches = (name, least) =>
  page.waitForFunction(([name, least]) => Number(document.querySelector(`[data-total=${name}] .number`)?.textContent.replaceAll(',', '')) >= least, [name, least]);

const connection = (kind) => page.waitForSelector(`.board[data-connection=${kind}]`);

test('a wrong password is refused in words', async () => {
  await page.goto(`${line.url}/screen/?area=${district}`);
  await page.fill('input[name=login]', platform.login);
  await page.fill('input[name=password]', 'wrong');
  await page.click('button[type=submit]');
  await page.waitForFunction(() => document.querySelector('[role=alert]')?.textContent.length > 3);
  await page.screenshot({ path: `${pictures}/sign-in.png` });
});

test('the right one opens the board', async () => {
  await page.fill('input[name=password]', platform.password);
  await page.click('button[type=submit]');
  await connection('live');
  assert.match(await page.locator('h1').innerText(), /锦江区/);
  assert.ok((await total('open')) > 0, 'the board shows no open case');
  assert.equal(await page.locator('.bars li').count() > 0, true, 'no classes');
  assert.ok((await page.locator('.ranking tbody tr').count()) > 1, 'no ranking');
  assert.ok((await page.locator('.feed li').count()) > 1, 'no feed');
  assert.equal(await page.locator('.trend canvas').count(), 1, 'no trend');
});

test('it is right at both sizes: nothing overlaps the edge, text grows with the screen', async () => {
  for (const [width, height, rem] of [
    [1920, 1080, 16],
    [3840, 2160, 32],
  ]) {
    await page.setViewportSize({ width, height });
    await page.waitForTimeout(1200); // the charts grow into their new size
    const seen = await page.evaluate(() => ({
      rem: parseFloat(getComputedStyle(document.documentElement).fontSize),
      scrolls: document.documentElement.scrollHeight > innerHeight || document.documentElement.scrollWidth > innerWidth,
      blurred: [...document.querySelectorAll('canvas')].some((canvas) => canvas.width < canvas.clientWidth * devicePixelRatio),
      spilling: [...document.querySelectorAll('.board .panel')].filter((panel) => panel.scrollHeight > panel.clientHeight + 1).map((panel) => panel.className),
      tight: [...document.querySelectorAll('.board *')].filter((element) => {
        const { lineHeight, fontSize } = getComputedStyle(element);
        return element.textContent && parseFloat(lineHeight) < 1.3 * parseFloat(fontSize) - 0.1;
      }).length,
    }));
    assert.deepEqual(seen, { rem, scrolls: false, blurred: false, spilling: [], tight: 0 }, `at ${width}×${height}`);
    await page.screenshot({ path: `${pictures}/board-${width}.png` });
  }
  await page.setViewportSize({ width: 1920, height: 1080 });
});

test('a case committed while the page is open changes its numbers', async () => {
  const [today, all] = [await total('submittedToday'), await total('open')];
  const title = `测试：路灯不亮 ${Date.now() % 100000}`;
  const started = Date.now();
  await platform.commitCase(title);
  await reaches('submittedToday', today + 1);
  console.log(`# on the page ${Date.now() - started} ms after the request was sent`);
  assert.ok((await total('open')) >= all + 1);
  // long runs of digits in titles are masked
  assert.match(await page.locator('.feed li').first().innerText(), /路灯不亮/);
});

test('a cut line is shown, and afterwards the page catches up', async () => {
  const today = await total('submittedToday');
  line.cut();
  await connection('lost');
  assert.match(await page.locator('.notice').innerText(), /连接已中断.*的数据/);
  await platform.commitCase('测试：断线期间提交');
  await page.waitForTimeout(1500); // the page has lost its colours
  assert.equal(await total('submittedToday'), today, 'numbers came over a cut line');
  await page.screenshot({ path: `${pictures}/lost.png` });
  line.mend();
  await connection('live');
  await reaches('submittedToday', today + 1);
  assert.equal(await page.locator('.notice').count(), 0);
});

test('a reload keeps the session, another area is one click away', async () => {
  await page.reload();
  await connection('live');
  await page.locator('.ranking tbody a').first().click();
  await page.waitForFunction((district) => !location.search.includes(district), district);
  await connection('live');
  await page.locator('.crumbs .link').first().click();
  await page.waitForSelector('.choice-own');
  await page.screenshot({ path: `${pictures}/choice.png` });
});

test('another district is refused in words, with a way back', async () => {
  await page.goto(`${line.url}/screen/?area=510105000000`);
  await connection('refused');
  assert.match(await page.locator('.waiting-title').innerText(), /[\u4e00-\u9fff]{4,}/);
  await page.locator('.waiting a').click();
  await connection('live');
  assert.match(await page.locator('h1').innerText(), /锦江区/);
});

test('signing out leads back to the sign-in', async () => {
  await page.locator('.crumbs button').click();
  await page.waitForSelector('input[name=login]');
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
});

test('the browser had nothing to complain about', () => {
  assert.deepEqual(complaints, []);
});
