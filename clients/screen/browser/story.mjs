// Invented figures for the fake server: believable in size and shape, and the
// same at each start but for the dates.

export const areas = Object.fromEntries(
  [
    ['510100000000', '成都市', 'CITY'],
    ['510104000000', '锦江区', 'DISTRICT'],
    ['510105000000', '青羊区', 'DISTRICT'],
    ['510106000000', '金牛区', 'DISTRICT'],
    ['510107000000', '武侯区', 'DISTRICT'],
    ['510108000000', '成华区', 'DISTRICT'],
    ...['锦官驿', '春熙路', '书院街', '牛市口', '沙河', '狮子山', '成龙路', '柳江', '三圣', '东湖', '锦华路'].map((name, i) => [
      `5101040${String(20 + i).padStart(2, '0')}000`,
      `${name}街道`,
      'STREET',
    ]),
    ['510104020001', '水井坊社区', 'COMMUNITY'],
  ].map(([id, name, level]) => [id, { id, name, level }]),
);

const classes = ['PARKING', 'PROPERTY', 'ENVIRONMENT', 'FACILITY', 'NEIGHBOURHOOD', 'SAFETY', 'CONSULTATION', 'WELFARE', 'OTHER'];
const communities = ['水井坊社区', '大慈寺社区', '督院街社区', '莲桂社区', '五福桥社区', '静渝路社区', '东光社区', '华新社区', '喜树街社区', '大观社区'];
const titles = [
  '小区东门外夜间货车占道停放，影响居民进出',
  '三单元电梯近一周多次停运，老人上下楼不便',
  '河道旁垃圾桶满溢未及时清运',
  '健身广场路灯损坏，晚间活动有安全隐患',
  '楼上住户深夜装修噪声扰民',
  '申请在社区入口增设无障碍坡道',
  '咨询高龄津贴的办理材料和时限',
  '外卖电动车在消防通道充电',
  '地下车库渗水，多次报修未处理',
  '希望延长社区食堂晚餐供应时间',
];
const actions = [
  ['SUBMIT', 'SUBMITTED'],
  ['TAKE', 'IN_PROGRESS'],
  ['REPLY', 'REPLIED'],
  ['RATE', 'CLOSED'],
  ['ASSIGN', 'ASSIGNED'],
  ['REQUEST_INFO', 'WAITING_INFO'],
  ['REPLY', 'REPLIED'],
  ['REOPEN', 'REOPENED'],
];

const day = (back) => new Date(Date.now() + 8 * 3_600_000 - back * 86_400_000).toISOString().slice(0, 10);
const wave = (i, low, high) => Math.round(low + (high - low) * (0.5 + 0.5 * Math.sin(i * 1.7) * Math.cos(i * 0.6)));

export class Story {
  #committed = 0;
  #number = 318;
  #feed = Array.from({ length: 20 }, (_, i) => this.#item(i, Date.now() - i * 137_000));

  #item(i, at, title) {
    const [kind, state] = actions[i % actions.length];
    return {
      id: `item-${i}-${at}`,
      at: new Date(at).toISOString(),
      kind: title ? 'SUBMIT' : kind,
      caseNumber: `FK20260301${String(this.#number-- + this.#committed * 2).padStart(5, '0')}`,
      area: { id: `c${i % 10}`, name: communities[i % communities.length] },
      class: classes[(i * 3) % classes.length],
      state: title ? 'SUBMITTED' : state,
      title: title ?? titles[i % titles.length],
    };
  }

  commit(title) {
    this.#committed++;
    this.#feed = [this.#item(this.#committed * 7, Date.now(), title ?? titles[this.#committed % titles.length]), ...this.#feed].slice(0, 20);
  }

  choice(id) {
    const area = areas[id];
    if (!area) return null;
    const below = Object.values(areas).filter((other) => this.#under(other, area));
    return { ...area, path: this.#path(area), children: { edges: below.map((node) => ({ node })) } };
  }

  #under(other, area) {
    if (area.level === 'CITY') return other.level === 'DISTRICT';
    if (area.level === 'STREET') return other.level === 'COMMUNITY' && other.id.startsWith(area.id.slice(0, 9));
    return area.level === 'DISTRICT' && other.level === 'STREET' && other.id.startsWith(area.id.slice(0, 6));
  }

  #path(area) {
    const digits = { CITY: 4, DISTRICT: 6, STREET: 9, COMMUNITY: 12 };
    return [4, 6, 9, 12].filter((n) => n <= digits[area.level]).map((n) => areas[area.id.slice(0, n).padEnd(12, '0')]);
  }

  board(id) {
    const area = areas[id] ?? areas['510104000000'];
    const more = this.#committed;
    const counts = [12 + more, 9, 2, 31, 6, 218, 4, 37, 11, 2671];
    const states = ['SUBMITTED', 'ASSIGNED', 'RETURNED', 'IN_PROGRESS', 'WAITING_INFO', 'REPLIED', 'REOPENED', 'REJECTED', 'DUPLICATE', 'CLOSED'];
    const trend = Array.from({ length: 30 }, (_, i) => ({ date: day(29 - i), submitted: wave(i, 18, 46), closed: wave(i + 2, 16, 44) }));
    trend[29] = { date: day(0), submitted: 23 + more, closed: 17 };
    return {
      generatedAt: new Date().toISOString(),
      area: { ...area, path: this.#path(area) },
      totals: { total: 3001 + more, open: 64 + more, closed: 2937, submittedToday: 23 + more, closedToday: 17, overdue: 5, closedRate: 97.9, satisfaction: 93.4, activities: 38, registrations: 1204 },
      trend,
      byClass: classes.map((name, i) => ({ class: name, count: [742 + more, 611, 508, 391, 268, 197, 143, 92, 49][i] })),
      byState: states.map((state, i) => ({ state, count: counts[i] })),
      ranking: this.choice(area.id).children.edges.map(({ node }, i) => ({
        rank: i + 1,
        area: node,
        total: 402 - i * 23,
        open: 2 + i,
        closedRate: 99.2 - i * 1.1,
        satisfaction: i === 9 ? null : 98.1 - i * 1.3,
      })),
      feed: this.#feed,
    };
  }
}
