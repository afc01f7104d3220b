import { useMemo } from 'react';
import { Chart, useRem, type ChartOption } from './chart';
import type { BoardData } from './data';
import { count, percent, share } from './figures';
import { Panel } from './Panel';
import { colours, isOpen, stateWord } from './words';

/** Cases by state: a ring of those that are open, and all numbers beside it. */
export function States({ byState, open }: { byState: BoardData['byState']; open: number }) {
  const rem = useRem();
  const [openStates, closedStates] = useMemo(() => [byState.filter(({ state }) => isOpen[state]), byState.filter(({ state }) => !isOpen[state])], [byState]);
  const option = useMemo(() => ringOption(openStates, rem), [openStates, rem]);
  const all = byState.reduce((sum, { count }) => sum + count, 0);
  return (
    <Panel className="states" title="办理状态">
      <div className="ring">
        <Chart option={option} label="未办结各状态的件数" />
        <p className="ring-centre">
          <span className="number">{count(open)}</span>
          <span>未办结</span>
        </p>
      </div>
      <div className="state-lists">
        <StateList states={openStates} all={all} />
        <StateList states={closedStates} all={all} />
      </div>
    </Panel>
  );
}

function StateList({ states, all }: { states: BoardData['byState']; all: number }) {
  return (
    <ul className="state-list" style={{ flexGrow: states.length }}>
      {states.map((item) => (
        <li key={item.state} className={item.count ? '' : 'none'}>
          <i style={{ background: stateWord[item.state]?.colour }} />
          <span className="state-name">{stateWord[item.state]?.name ?? item.state}</span>
          <span className="bar-count">{count(item.count)}</span>
          <span className="bar-share">{percent(share(item.count, all))}%</span>
        </li>
      ))}
    </ul>
  );
}

function ringOption(byState: BoardData['byState'], rem: number): ChartOption {
  return {
    animationDuration: 600,
    animationDurationUpdate: 400,
    series: [
      {
        type: 'pie',
        radius: ['76%', '98%'],
        startAngle: 90,
        label: { show: false },
        emphasis: { disabled: true },
        itemStyle: { borderColor: colours.panel, borderWidth: 0.16 * rem, borderRadius: 0.2 * rem },
        data: byState
          .filter((item) => item.count > 0)
          .map((item) => ({ name: stateWord[item.state]?.name ?? item.state, value: item.count, itemStyle: { color: stateWord[item.state]?.colour ?? colours.label } })),
      },
    ],
  };
}
