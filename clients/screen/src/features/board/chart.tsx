// ECharts as a component: only the parts that the board draws are in the bundle.
import { LineChart, PieChart } from 'echarts/charts';
import type { LineSeriesOption, PieSeriesOption } from 'echarts/charts';
import { GridComponent, TooltipComponent } from 'echarts/components';
import type { GridComponentOption, TooltipComponentOption } from 'echarts/components';
import { init, use as register, type ComposeOption, type ECharts } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';
import { useEffect, useRef, useState } from 'react';

register([LineChart, PieChart, GridComponent, TooltipComponent, CanvasRenderer]);

export type ChartOption = ComposeOption<LineSeriesOption | PieSeriesOption | GridComponentOption | TooltipComponentOption>;

/** How many pixels one rem is; it follows the size of the window. */
export function useRem(): number {
  const [rem, setRem] = useState(readRem);
  useEffect(() => {
    const measure = () => setRem(readRem());
    addEventListener('resize', measure);
    return () => removeEventListener('resize', measure);
  }, []);
  return rem;
}

const readRem = () => parseFloat(getComputedStyle(document.documentElement).fontSize);

interface Props {
  option: ChartOption;
  /** What the chart shows, for those who do not see it. */
  label: string;
}

/** Draws the option, and again at each change of it or of its own size. */
export function Chart({ option, label }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<ECharts | null>(null);
  useEffect(() => {
    if (!place.current) return;
    const drawn = init(place.current, null, { renderer: 'canvas' });
    chart.current = drawn;
    const resized = new ResizeObserver(() => drawn.resize());
    resized.observe(place.current);
    return () => {
      resized.disconnect();
      drawn.dispose();
      chart.current = null;
    };
  }, []);
  useEffect(() => {
    chart.current?.setOption(option);
  }, [option]);
  return <div className="chart" ref={place} role="img" aria-label={label} />;
}
