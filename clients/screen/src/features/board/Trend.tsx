import { useMemo } from 'react';
import { Chart, useRem, type ChartOption } from './chart';
import type { BoardData } from './data';
import { colours, fonts } from './words';
import { Panel } from './Panel';

/** Submitted and closed by day, the last thirty. */
export function Trend({ trend }: { trend: BoardData['trend'] }) {
  const rem = useRem();
  const option = useMemo(() => trendOption(trend, rem), [trend, rem]);
  return (
    <Panel
      className="trend"
      title="近三十日趋势"
      note={
        <>
          <span className="key submitted">提交</span>
          <span className="key closed">办结</span>
        </>
      }
    >
      <Chart option={option} label="近三十日每日提交与办结的件数" />
    </Panel>
  );
}

function trendOption(trend: BoardData['trend'], rem: number): ChartOption {
  const text = { fontFamily: fonts, fontSize: rem, color: colours.label };
  const last = trend.length - 1;
  const line = (name: string, colour: string, values: number[]): NonNullable<ChartOption['series']> => ({
    type: 'line',
    name,
    smooth: 0.35,
    smoothMonotone: 'x',
    symbol: 'circle',
    symbolSize: (_: unknown, point: { dataIndex: number }) => (point.dataIndex === last ? 0.6 * rem : 0),
    itemStyle: { color: colour, borderColor: colours.text, borderWidth: 0.125 * rem },
    lineStyle: { width: 0.1875 * rem, color: colour },
    areaStyle: {
      color: {
        type: 'linear',
        x: 0,
        y: 0,
        x2: 0,
        y2: 1,
        colorStops: [
          { offset: 0, color: `${colour}55` },
          { offset: 1, color: `${colour}00` },
        ],
      },
    },
    data: values,
  });
  return {
    animationDuration: 600,
    animationDurationUpdate: 400,
    textStyle: text,
    grid: { left: 0.25 * rem, right: 1 * rem, top: 1 * rem, bottom: 0.25 * rem, outerBoundsMode: 'same' },
    tooltip: {
      trigger: 'axis',
      renderMode: 'richText',
      backgroundColor: colours.panel,
      borderColor: colours.grid,
      textStyle: { ...text, color: colours.text },
    },
    xAxis: {
      type: 'category',
      boundaryGap: false,
      data: trend.map((day) => day.date.slice(5)),
      axisLine: { lineStyle: { color: colours.grid, width: 0.0625 * rem } },
      axisTick: { show: false },
      // counted from today, so that today is always named
      axisLabel: { ...text, interval: (i: number) => (last - i) % 4 === 0, margin: 0.75 * rem },
    },
    yAxis: {
      type: 'value',
      minInterval: 1,
      splitNumber: 4,
      splitLine: { lineStyle: { color: colours.grid, width: 0.0625 * rem } },
      axisLabel: text,
    },
    series: [
      line('提交', colours.submitted, trend.map((day) => day.submitted)),
      line('办结', colours.closed, trend.map((day) => day.closed)),
    ] as NonNullable<ChartOption['series']>,
  };
}
